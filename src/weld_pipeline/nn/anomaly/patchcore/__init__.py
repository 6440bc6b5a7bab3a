"""PatchCore: the distance of patches from a memory bank of good patches."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
