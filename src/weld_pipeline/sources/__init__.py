"""Sources: from layouts on disk to manifest rows, their splits and the audit of these."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
