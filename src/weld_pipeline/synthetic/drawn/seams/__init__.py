"""Weld seams in the layout of MVTec AD: sound seams of one production line, and flaws with exact masks."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
