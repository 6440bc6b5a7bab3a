"""Image classifiers at work: an image in, class, probability and verdict out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
