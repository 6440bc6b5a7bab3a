from . import frame as frame
from . import pool as pool
from . import surface as surface
from . import view as view
