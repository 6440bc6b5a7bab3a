"""Recordings: what containers and decoders say of time, size, turn and end."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
