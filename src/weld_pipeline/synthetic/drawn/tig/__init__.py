"""TIG frames: the weld pool as a camera behind a filter sees it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
