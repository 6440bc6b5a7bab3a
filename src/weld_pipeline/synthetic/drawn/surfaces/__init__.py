"""Surfaces in drawn images: steel, beads, heights in the light, tables, lettering."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
