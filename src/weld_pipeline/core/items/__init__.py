"""Items: per-item work that streams, resumes and never takes a half-written result for a whole one."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
