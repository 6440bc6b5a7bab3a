"""Student–teacher detector (EfficientAD): the difference of a teacher and a student trained on good images alone."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
