from . import graph as graph
from . import inspector as inspector
from . import live as live
from . import live_table as live_table
from . import table as table
from . import travel_speed as travel_speed
from . import verdict as verdict
