"""What one drawn picture is: its class, its session, and where its file lies."""

import zlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DrawnPicture:
    """The recipe of one picture: equal recipes give equal bytes.

    Attributes:
        path: Where it lies, relative to the root of its layout.
        layout: One of `layouts.LAYOUTS`.
        label: Its class, as the layout names it.
        session: What it shares its look with: a weld run, a plate, a film, a coil, a video.
        is_written: Whether there is writing in the pictures of its session.
        width: Width [px].
        seed: Seed of all variation.
    """

    path: str
    layout: str
    label: str
    session: str
    is_written: bool
    width: int
    seed: int

    def rng(self, what: str) -> np.random.Generator:
        """Return the source of variation of one aspect of this picture alone."""
        return self._rng(self.path, what)

    def session_rng(self, what: str) -> np.random.Generator:
        """Return the source of variation of one aspect that all pictures of the session share."""
        return self._rng(self.session, what)

    def _rng(self, *names: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *(zlib.crc32(name.encode()) for name in (self.layout, *names))])
