from . import layouts as layouts
from . import photo as photo
from . import plan as plan
from . import radiograph as radiograph
from . import strip_surface as strip_surface
