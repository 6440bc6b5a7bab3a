"""Parity: bundle and torch must say the same of the same files, or nothing is released."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
