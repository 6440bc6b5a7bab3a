"""Drawn samples: a small weld shop in the real layouts, so that everything runs without data."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
