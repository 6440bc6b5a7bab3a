"""Made images with their manifest, if there are any yet."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class SyntheticSet:
    """A folder of made images.

    Attributes:
        root: The folder; paths in the manifest are relative to it.
        manifest: In the schema of every manifest; no row if nothing was made yet.
    """

    root: Path
    manifest: pd.DataFrame
