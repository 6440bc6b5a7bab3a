"""Formats of image files: what their own tags say of pages, samples and white."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
