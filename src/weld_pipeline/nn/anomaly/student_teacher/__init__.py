"""Student–teacher: what a student that saw good images alone cannot say after its teacher (EfficientAD)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
