"""Anomaly detectors at work: an image in, a score, a map and a verdict out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
