from . import batches as batches
from . import curves as curves
from . import folder as folder
from . import loop as loop
from . import read_ahead as read_ahead
