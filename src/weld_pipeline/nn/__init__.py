"""Networks: trunks and their weights, autoencoder, heads, training loops, the assembled classifier."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
