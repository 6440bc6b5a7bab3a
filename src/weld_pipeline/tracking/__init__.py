"""What MLflow gets: one run a command, one child a family member, and a review that opens on model training."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
