"""Anomaly detectors, fitted on good images alone: a score and a map for each image."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
