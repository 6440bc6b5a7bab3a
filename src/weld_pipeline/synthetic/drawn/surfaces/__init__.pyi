from . import bead as bead
from . import lettering as lettering
from . import relief as relief
from . import steel_plate as steel_plate
from . import tabletop as tabletop
