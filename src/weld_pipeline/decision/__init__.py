"""What a prediction is worth and what to do about it: metrics, intervals, confounds, calibration, reports."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
