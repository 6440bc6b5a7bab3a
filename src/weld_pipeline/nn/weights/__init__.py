"""Weights: which pretrained ones there are, where they lie, and how they are had."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
