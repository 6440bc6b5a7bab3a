"""Names in a folder, from the disk or from the text that the command `tree` prints; layouts are read from these alone."""

import os
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.images import IMAGE_SUFFIXES

VIDEO_SUFFIXES = (".avi", ".mp4", ".mkv", ".mov", ".m4v", ".webm", ".wmv", ".mpg", ".mpeg", ".ts", ".mts", ".mjpeg")
_INDENT = re.compile(r"[|│ \xa0]{4}")
# Windows `tree` with and without /A, Unix `tree` with and without --charset=ascii.
_BRANCH = re.compile(r"(?:[+\\]---|[├└]───|[├└]──[ \xa0]|[|`]--[ \xa0])")


@dataclass(frozen=True)
class Names:
    """Names of what lies in a folder, without hidden entries; paths are relative to it, with `/`, sorted.

    Attributes:
        links: Every folder that is a symbolic link; these are not entered.
        are_here: Whether the files lie on this disk, or are only named in a listing.
    """

    files: tuple[str, ...]
    folders: tuple[str, ...]
    links: tuple[str, ...] = ()
    are_here: bool = True

    @cached_property
    def files_in(self) -> dict[str, list[str]]:
        """Return the file names in each folder; the root is the empty name."""
        inside: defaultdict[str, list[str]] = defaultdict(list)
        for file in self.files:
            folder, _, name = file.rpartition("/")
            inside[folder].append(name)
        return dict(inside)

    @cached_property
    def files_known(self) -> frozenset[str]:
        """Return every file as a set, for look-ups."""
        return frozenset(self.files)

    @property
    def videos(self) -> list[str]:
        """Return the files whose suffix is a video's."""
        return [file for file in self.files if is_video(file)]

    @property
    def images(self) -> list[str]:
        """Return the files whose suffix is an image's."""
        return [file for file in self.files if PurePosixPath(file).suffix.lower() in IMAGE_SUFFIXES]

    def find_video(self, folder: str, stem: str) -> str | None:
        """Return the video `stem` with any video suffix in `folder`, .avi before others, or None."""
        videos = [name for name in self.files_in.get(folder, []) if is_video(name) and PurePosixPath(name).stem == stem]
        videos.sort(key=lambda name: VIDEO_SUFFIXES.index(PurePosixPath(name).suffix.lower()))
        return f"{folder}/{videos[0]}" if videos else None


def is_video(path: str) -> bool:
    """Return whether a file's suffix is a video's."""
    return PurePosixPath(path).suffix.lower() in VIDEO_SUFFIXES


def walk(root: Path) -> Names:
    """Return the names under `root` on disk."""
    files: list[str] = []
    folders: list[str] = []
    links: list[str] = []
    for here, folder_names, file_names in os.walk(root):
        folder_names[:] = [name for name in folder_names if not name.startswith(".")]
        base = Path(here).relative_to(root)
        for name in folder_names:
            is_link = Path(here, name).is_symlink()
            (links if is_link else folders).append((base / name).as_posix())
        files += [(base / name).as_posix() for name in file_names if not name.startswith(".")]
    return Names(tuple(sorted(files)), tuple(sorted(folders)), tuple(sorted(links)))


def read_listing(path: Path) -> Names:
    """Return the names in a text as Windows' or Unix's `tree` prints it.

    Raises:
        WeldError: If the text is not UTF-8 or holds no branch of a tree.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise WeldError(f"listing {path}: is not UTF-8 text ({error}); save what `tree` printed as UTF-8") from error
    stack: list[str] = []
    entries: dict[str, bool] = {}  # path → has a branch of its own
    n_branches = 0
    for line in lines:
        depth, is_branch, name = _parse(line)
        if not name or depth < 0:
            continue  # the lines between branches, and the heading
        del stack[depth:]
        stack.append(name)
        entries["/".join(stack)] = is_branch
        n_branches += is_branch
    if not n_branches:
        raise WeldError(
            f"listing {path}: holds no line of a tree; write it with `tree /F /A` (Windows) or `tree` (Unix)"
        )
    parents = {path.rpartition("/")[0] for path in entries}
    # Windows draws no branch for a file. Unix draws one for both; an entry without suffix and children is a folder there.
    is_folder = {entry: entry in parents or (is_branch and "." not in entry) for entry, is_branch in entries.items()}
    return Names(
        files=tuple(sorted(entry for entry in entries if not is_folder[entry])),
        folders=tuple(sorted(entry for entry in entries if is_folder[entry])),
        are_here=False,
    )


def _parse(line: str) -> tuple[int, bool, str]:
    """Return the depth of a line, whether it is a branch, and the name on it."""
    depth, at = 0, 0
    while indent := _INDENT.match(line, at):
        depth, at = depth + 1, indent.end()
    branch = _BRANCH.match(line, at)
    name = line[branch.end() if branch else at :].strip(" \xa0|│")
    # Windows sets a folder's files one step further in than its folders.
    return (depth, True, name) if branch else (depth - 1, False, name)
