"""Synthetic set: synthetic images with their manifest, if there are any yet."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class SyntheticSet:
    """A folder of synthetic images.

    Attributes:
        root: The folder; paths in the manifest are relative to it.
        manifest: Manifest of the images, in the schema of every manifest; it has no row if there are none yet.
    """

    root: Path
    manifest: pd.DataFrame
