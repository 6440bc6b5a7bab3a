"""Recordings of robotic welding in the layout of the Intel data set: runs, videos, sensor logs, stills."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
