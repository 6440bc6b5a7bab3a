from . import image_metrics as image_metrics
from . import map_reader as map_reader
from . import pixel_metrics as pixel_metrics
from . import record as record
from . import score_histogram as score_histogram
