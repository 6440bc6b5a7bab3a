from . import onnxruntime as onnxruntime
from . import open as open
from . import openvino as openvino
from . import session as session
