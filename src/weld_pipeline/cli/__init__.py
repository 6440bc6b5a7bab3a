"""The command lines: `weld`, for what is done outside a Kedro run, and what Kedro's own takes from this project."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
