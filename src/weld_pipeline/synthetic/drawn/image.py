"""Drawn image: its class, its session, and the path of its file."""

import zlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DrawnImage:
    """The recipe of one image: equal recipes give equal bytes.

    Attributes:
        path: Path relative to the root of its layout.
        layout: Name in `layouts.LAYOUTS`.
        label: Class, as the layout names it.
        session: Group that shares its look: a weld run, a plate, a film, a coil, a video.
        is_written: Whether there is writing in the images of its session.
    """

    path: str
    layout: str
    label: str
    session: str
    is_written: bool
    width: int
    seed: int

    def rng(self, what: str) -> np.random.Generator:
        """Return the source of variation of one aspect of this image alone."""
        return self._rng(self.path, what)

    def session_rng(self, what: str) -> np.random.Generator:
        """Return the source of variation of one aspect that all images of the session share."""
        return self._rng(self.session, what)

    def _rng(self, *names: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *(zlib.crc32(name.encode()) for name in (self.layout, *names))])
