"""Images and video: decoding, cameras, clips, probes, fingerprints, masks, tiles, heat maps."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
