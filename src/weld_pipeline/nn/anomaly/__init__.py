"""Anomaly detectors: fitted on good pictures alone, a score and a map for each picture."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
