from . import flaws as flaws
from . import line as line
from . import photo as photo
from . import plan as plan
