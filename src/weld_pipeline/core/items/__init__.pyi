from . import local as local
from . import map as map
from . import pending as pending
