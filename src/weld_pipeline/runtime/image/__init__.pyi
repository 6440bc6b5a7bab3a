from . import graph as graph
from . import inspector as inspector
from . import split_graph as split_graph
from . import table as table
from . import verdict as verdict
