from . import drawn as drawn
from . import mix as mix
