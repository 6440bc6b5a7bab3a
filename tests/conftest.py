"""Shared by all tests: shapes checked at run time, real data, and a copy of the project to run in."""

import os
from pathlib import Path

from jaxtyping import install_import_hook

# Checks every annotated shape and type of the package in every test; it must come before the first import of it.
install_import_hook("weld_pipeline", "beartype.beartype")

import pytest  # noqa: E402


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The checkout under test."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; the test is skipped where none is given."""
    folder = os.environ.get("WELD_REAL_DATA")
    if not folder:
        pytest.skip("needs real data: set WELD_REAL_DATA to their folder")
    path = Path(folder).resolve()
    assert path.is_dir(), f"WELD_REAL_DATA={folder} is no folder"
    return path
