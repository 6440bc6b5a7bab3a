"""Files that a person meant: files, folders, patterns that the shell left alone, and stdin."""

import glob
import sys
from collections.abc import Iterable
from pathlib import Path

from weld_pipeline.media.images import IMAGE_SUFFIXES
from weld_pipeline.runtime.image_reader import ImageBytes
from weld_pipeline.runtime.verdicts import NotInspected

_PATTERN_MARKS = "*?["
_STDIN = Path("-")


def find_files(paths: Iterable[Path], *, suffixes: tuple[str, ...], what: str) -> list[Path | NotInspected]:
    """Return the given files, those in and below the given folders, and those that match a pattern, each in order of name.

    Args:
        paths: Files, folders, or patterns such as `line 3/**/*.png`.
        suffixes: What counts inside a folder, lower-case.
        what: What these files are called.
    """
    found: list[Path | NotInspected] = []
    for path in paths:
        if path == _STDIN:
            found.append(NotInspected("-", f"a {what} is not read from stdin; name its file"))
        elif path.is_dir():
            found += _inside(path, suffixes, what)
        elif path.exists() or not any(mark in str(path) for mark in _PATTERN_MARKS):
            found.append(path)  # a file is tried whatever its name, and a missing one is told apart later
        else:
            found += _matching(path, suffixes, what)
    return found


def find_images(paths: Iterable[Path]) -> list[Path | ImageBytes | NotInspected]:
    """Return the images that were meant; see `find_files`. `-` is one from stdin, which comes first."""
    named = list(paths)
    piped = [ImageBytes("stdin", sys.stdin.buffer.read())] if _STDIN in named else []
    return [*piped, *find_files((path for path in named if path != _STDIN), suffixes=IMAGE_SUFFIXES, what="image")]


def _inside(folder: Path, suffixes: tuple[str, ...], what: str) -> list[Path | NotInspected]:
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in suffixes and file.is_file())
    hint = f"folder {folder} holds no {what} ({' '.join(suffixes)}); name the files themselves"
    return [*files] or [NotInspected(str(folder), hint)]


def _matching(pattern: Path, suffixes: tuple[str, ...], what: str) -> list[Path | NotInspected]:
    matches = [Path(name) for name in sorted(glob.glob(str(pattern), recursive=True))]  # noqa: PTH207 - Path.glob needs a root
    # A pattern names files by itself; only where it names nothing but folders are these looked into.
    files = [match for match in matches if match.is_file()]
    if not files:
        files = [file for match in matches for file in _inside(match, suffixes, what) if isinstance(file, Path)]
    return [*files] or [NotInspected(str(pattern), f"pattern {pattern} matches no {what}; check it, or name the files")]
