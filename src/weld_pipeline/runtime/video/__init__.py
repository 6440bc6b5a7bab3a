"""Video classifiers at work: a recording or a camera in, a timeline and a verdict out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
