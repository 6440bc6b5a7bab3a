"""Video classifiers: clips through a frozen trunk, an autoencoder, and a classifier of pooled latents."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
