"""Files that a person meant: files, folders, patterns that the shell left alone, and stdin."""

import glob
import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from weld_pipeline.media.suffixes import Media, media_of, sniff_media
from weld_pipeline.runtime.image_reader import ImageBytes
from weld_pipeline.runtime.verdicts import NotInspected

_PATTERN_MARKS = "*?["
_STDIN = Path("-")


def find_files(paths: Iterable[Path], *, media: Media) -> list[Path | NotInspected]:
    """Return the given files, those in and below the given folders, and those that match a pattern, each in order of name.

    In a folder a file counts by its suffix; one with a suffix that is neither an image's nor a video's counts by its
    first bytes. Hidden files are left out as in ingestion. How many others were passed over is told on stderr.

    Args:
        paths: Files, folders, or patterns such as `line 3/**/*.png`.
        media: What counts inside a folder.
    """
    found: list[Path | NotInspected] = []
    for path in paths:
        if path == _STDIN:
            found.append(NotInspected("-", f"a {media} is not read from stdin; name its file"))
        elif path.is_dir():
            found += _inside(path, media)
        elif path.exists() or not any(mark in str(path) for mark in _PATTERN_MARKS):
            found.append(path)  # a file is tried whatever its name, and a missing one is told apart later
        else:
            found += _matching(path, media)
    return found


def find_images(paths: Iterable[Path]) -> list[Path | ImageBytes | NotInspected]:
    """Return the images that were meant; see `find_files`. `-` is one from stdin, which comes first."""
    named = list(paths)
    piped = [ImageBytes("stdin", sys.stdin.buffer.read())] if _STDIN in named else []
    return [*piped, *find_files((path for path in named if path != _STDIN), media="image")]


def _inside(folder: Path, media: Media) -> list[Path | NotInspected]:
    entries, found = _entries(folder), list[Path | NotInspected]()
    passed_over: Counter[str] = Counter()
    for path, problem in sorted(entries.items()):
        if problem:
            found.append(NotInspected(str(path), problem))
        elif _is(path, media):
            found.append(path)
        else:
            passed_over[path.suffix.lower() or "without a suffix"] += 1
    if passed_over:
        kinds = ", ".join(f"{n} {suffix}" for suffix, n in sorted(passed_over.items()))
        what = f"{passed_over.total()} file(s) passed over, which are no {media}: {kinds}"
        print(f"weld: folder {folder}: {what}", file=sys.stderr)  # noqa: T201 - beside the progress, and never in the JSON
    return found or [NotInspected(str(folder), f"folder {folder} holds no {media}; name the files themselves")]


def _entries(folder: Path) -> dict[Path, str | None]:
    """Return every file below a folder that is not hidden, and each folder that is not looked into with the reason."""
    entries: dict[Path, str | None] = {}

    def refuse(error: OSError) -> None:
        entries[Path(error.filename)] = f"folder {error.filename} cannot be read ({error.strerror}); grant access to it"

    for here, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [Path(here, name) for name in folders if Path(here, name).is_symlink()]
        entries |= {link: f"folder {link} is a link, which is not entered; name the folder itself" for link in links}
        paths = [Path(here, name) for name in files if not name.startswith(".")]
        entries |= {path: _no_file(path) for path in paths}
    return entries


def _no_file(path: Path) -> str | None:
    """Return what is wrong with what would never end when it is read; a link that leads nowhere ends at once."""
    if path.is_file() or not path.exists():
        return None
    return f"{path} is a pipe, a socket or a device, which is not opened; take it away"


def _is(path: Path, media: Media) -> bool:
    named = media_of(path)
    if named is not None or not path.is_file():  # a link that leads nowhere is known by its suffix alone
        return named == media
    try:
        return sniff_media(path) == media
    except OSError:
        return True  # who tries it says why it cannot be read


def _matching(pattern: Path, media: Media) -> list[Path | NotInspected]:
    matches = [Path(name) for name in sorted(glob.glob(str(pattern), recursive=True))]  # noqa: PTH207 - Path.glob needs a root
    # A pattern names files by itself; only where it names nothing but folders are these looked into.
    found: list[Path | NotInspected] = [match for match in matches if match.is_file()]
    if not found:
        inside = [entry for match in matches if match.is_dir() for entry in _inside(match, media)]
        found = [entry for entry in inside if isinstance(entry, Path) or Path(entry.path) not in matches]
    return found or [NotInspected(str(pattern), f"pattern {pattern} matches no {media}; check it, or name the files")]
