"""Names in a folder, from the disk or from the text that the command `tree` prints; layouts are read from these alone."""

import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.suffixes import VIDEO_SUFFIXES, media_of

_INDENT = re.compile(r"[|│ \xa0]{4}")
# Windows `tree` with and without /A, Unix `tree` with and without --charset=ascii.
_BRANCH = re.compile(r"(?:[+\\]---|[├└]───|[├└]──[ \xa0]|[|`]--[ \xa0])")


@dataclass(frozen=True)
class Names:
    """Names of what lies in a folder, without hidden entries; paths are relative to it, with `/`, sorted.

    Attributes:
        unusable: Problem of every entry that is none of the files and folders: a link to a folder, which is not entered,
            a link that leads nowhere, a socket or the like, a name that is not UTF-8. Names here can be printed.
        are_here: Whether the files lie on this disk, or are only named in a listing.
    """

    files: tuple[str, ...]
    folders: tuple[str, ...]
    unusable: Mapping[str, str] = field(default_factory=dict)
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

    @cached_property
    def folders_known(self) -> frozenset[str]:
        """Return every folder as a set, for look-ups."""
        return frozenset(self.folders)

    def without(self, files: Iterable[str]) -> "Names":
        """Return the same names less some files."""
        left_out = frozenset(files)
        return replace(self, files=tuple(file for file in self.files if file not in left_out))

    @property
    def videos(self) -> list[str]:
        """Return the files whose suffix is a video's."""
        return [file for file in self.files if is_video(file)]

    @property
    def images(self) -> list[str]:
        """Return the files whose suffix is an image's."""
        return [file for file in self.files if media_of(file) == "image"]

    def find_video(self, folder: str, stem: str) -> str | None:
        """Return the video `stem` with any video suffix in `folder`, .avi before others, or None."""
        videos = [name for name in self.files_in.get(folder, []) if is_video(name) and PurePosixPath(name).stem == stem]
        videos.sort(key=lambda name: VIDEO_SUFFIXES.index(PurePosixPath(name).suffix.lower()))
        return f"{folder}/{videos[0]}" if videos else None


def is_video(path: str) -> bool:
    """Return whether a file's suffix is a video's."""
    return media_of(path) == "video"


def walk(root: Path) -> Names:
    """Return the names under `root` on disk.

    Raises:
        WeldError: If a folder cannot be read: what lies in it would be left out.
    """
    files: list[str] = []
    folders: list[str] = []
    unusable: dict[str, str] = {}
    pending = [""]
    while pending:
        here = pending.pop()
        for entry in _entries(root / here):
            name = f"{here}/{entry.name}" if here else entry.name
            if entry.is_dir(follow_symlinks=False):
                pending.append(name)
                folders += [name] if _is_utf8(name) else []
            elif problem := _problem(entry, name):
                unusable[printable(name)] = problem
            else:
                files.append(name)
    return Names(tuple(sorted(files)), tuple(sorted(folders)), dict(sorted(unusable.items())))


def printable(name: str) -> str:
    """Return a name whose bytes are not UTF-8 with these bytes written out; any other name as it is.

    >>> printable(os.fsdecode(bytes([0x63, 0xE9]))).isascii()
    True
    """
    return name.encode("utf-8", "backslashreplace").decode()


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        where = printable(str(folder))
        raise WeldError(
            f"folder {where} cannot be read ({error.strerror}), so what lies in it would be left out; give yourself the "
            "right to read it, or take it away"
        ) from error


def _problem(entry: os.DirEntry[str], name: str) -> str | None:
    """Return why an entry that is no folder cannot be a file of the source, or None if it can."""
    if not _is_utf8(name):
        return "bad_name: its name is not UTF-8; rename it"
    if entry.is_file(follow_symlinks=False):
        return None
    try:
        status = entry.stat()
    except OSError as error:  # a link to nothing, or to itself
        return f"missing: is a link that leads nowhere ({error.strerror}); put the file itself here"
    if stat.S_ISDIR(status.st_mode):
        return "unsafe_path: is a link to another folder; put the files themselves here"
    is_file = stat.S_ISREG(status.st_mode)
    return None if is_file else "no_file: is a socket, a pipe or a device, which is never opened; take it away"


def _is_utf8(name: str) -> bool:
    return printable(name) == name


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
