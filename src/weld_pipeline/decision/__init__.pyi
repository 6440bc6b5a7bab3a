from . import calibration as calibration
from . import classifier_predictions as classifier_predictions
from . import detector_predictions as detector_predictions
from . import policy as policy
from . import thresholds as thresholds
