"""Synthetic images: drawn welds in the layouts of real data sets, for machines without footage.

Nothing here is a measurement: numbers reached on drawn welds show that the code works, never how good it is on steel.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
