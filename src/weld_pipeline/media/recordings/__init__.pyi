from . import containers as containers
from . import cut_off as cut_off
from . import frame_decoder as frame_decoder
from . import orientation as orientation
from . import timing as timing
