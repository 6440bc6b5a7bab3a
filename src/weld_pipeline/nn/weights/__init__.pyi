from . import choose as choose
from . import hub as hub
from . import packages as packages
from . import table as table
