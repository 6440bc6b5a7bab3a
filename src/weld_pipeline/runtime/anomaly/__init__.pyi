from . import graph as graph
from . import inspector as inspector
from . import regions as regions
from . import table as table
from . import verdict as verdict
