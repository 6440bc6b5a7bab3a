from . import bundle as bundle
from . import card as card
from . import description as description
from . import onnx_export as onnx_export
from . import parity as parity
from . import samples as samples
from . import timing as timing
