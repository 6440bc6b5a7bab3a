"""Provenance of a number: code revision, dirty flag, library versions."""

import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = ("numpy", "torch", "torchvision", "timm", "pillow", "onnx", "onnxruntime", "av", "kedro", "mlflow")


@dataclass(frozen=True)
class CodeRevision:
    """The state of the code.

    Attributes:
        commit: Git commit, or None outside a checkout.
        is_dirty: True if tracked files differ from the commit, None outside a checkout.
    """

    commit: str | None
    is_dirty: bool | None
    version: str


def code_revision(folder: Path | None = None) -> CodeRevision:
    """Return the revision of the checkout that holds `folder`, by default this package's own."""
    folder = folder or Path(__file__).parent
    release = version("weld-pipeline")
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return CodeRevision(None, None, release)
    return CodeRevision(commit, bool(changed), release)


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that numbers depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()
