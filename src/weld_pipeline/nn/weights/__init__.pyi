from . import choose as choose
from . import hub as hub
from . import table as table
