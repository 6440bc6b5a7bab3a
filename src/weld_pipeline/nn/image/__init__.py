"""Image classifiers: any trunk of timm below a softmax or margin head."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
