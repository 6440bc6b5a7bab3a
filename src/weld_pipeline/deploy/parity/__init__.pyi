from . import anomaly as anomaly
from . import families as families
from . import gate as gate
from . import image as image
from . import video as video
