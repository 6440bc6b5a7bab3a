"""TIG layout (Bacioiu et al. 2019, SS304 and Al5083): run folders and a json of class ids.

`<split>/<run>/image-0229.png` with `<split>/<split>.json`, which says `{"<run>/image-0229.png": 0}`; or one folder of runs
with one json. The frames of a run look alike, so the run is the session, even where it stands in two splits.
"""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from weld_pipeline.core.drawn_files import RECORD_NAME
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside
from weld_pipeline.sources.layouts.listing import Names, printable
from weld_pipeline.sources.layouts.rows import (
    SPLIT_OF_WORD,
    IndexRow,
    clean_path,
    one_class_each,
    session_or,
    unclaimed,
)

SOURCE = "tig"


def label_files(names: Names) -> list[str]:
    """Return the json files that may hold classes: in the source folder, or in one of its folders named as a split."""
    files = (file for file in names.files if file.endswith(".json") and file != RECORD_NAME)
    return [file for file in files if (folder := file.rpartition("/")[0]) == "" or folder.casefold() in SPLIT_OF_WORD]


def class_id_files(root: Path, names: Names) -> list[str]:
    """Return those of them that hold class ids: a json object of paths, most with a whole number, and a path that exists.

    Of a listing, and where there is no image to name, a path need not exist.
    """
    if not names.are_here:
        return [file for file in label_files(names) if is_named_as_its_split(file)]
    return [file for file in label_files(names) if _holds_class_ids(root, names, file)]


def is_named_as_its_split(file: str) -> bool:
    """Return whether a json is named as the split folder it lies in: `train/train.json`."""
    *folders, name = file.split("/")
    return bool(folders) and folders[-1].casefold() in SPLIT_OF_WORD and name == f"{folders[-1]}.json"


def _holds_class_ids(root: Path, names: Names, file: str) -> bool:
    try:
        entries = _read_ids(inside(root, file))
    except WeldError:
        return is_named_as_its_split(file)  # the reading of it says what is wrong
    folder = file.rpartition("/")[0]
    numbered = [path for path, value in entries if _is_whole(value)]
    if not numbered or 2 * len(numbered) < len(entries):
        return False
    return not names.images or any(_file_of(folder, path) in names.files_known for path in numbered)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0


def _file_of(folder: str, path: str) -> str | None:
    """Return the file that a path in a json of a folder names, or None if it leads out of the folder."""
    inner = clean_path(path)
    return inner and (f"{folder}/{inner}" if folder else inner)


def index_tig(root: Path, names: Names, *, class_ids: Mapping[int, str], session_pattern: str | None) -> list[IndexRow]:
    """Return a row for each entry of each json, then one for each image on disk that none names.

    Args:
        session_pattern: Regular expression on the path; without one or a match, the run folder is the session.

    Raises:
        WeldError: If there is no json, there are two in a folder, one cannot be read, no class id has a name, or a path
            has two.
    """
    files = class_id_files(root, names) or label_files(names)
    folders = [file.rpartition("/")[0] for file in files]
    if not files:
        raise WeldError(f"source {root}: no json of class ids in it or its split folders; see index.layout")
    if twice := [folder for folder in folders if folders.count(folder) > 1]:
        raise WeldError(
            f"source {root}: folder {twice[0] or '.'} holds several json files; leave the one with class ids"
        )
    if not class_ids:
        raise WeldError(
            f"source {root}: its json files hold class ids; name them in index.class_ids, as {{0: good_weld}}"
        )
    rows: list[IndexRow] = []
    for file, folder in zip(files, folders, strict=True):
        entries = _read_ids(inside(root, file))
        one_class_each(
            (f"entry {n} of {file}", path, str(class_id)) for n, (path, class_id) in enumerate(entries, start=1)
        )
        rows += [
            _row(names, folder, path, class_id, class_ids=class_ids, session_pattern=session_pattern)
            for path, class_id in entries
        ]
    why = "no json of class ids names it; add it there"
    return rows + unclaimed(names, rows, files=names.images, source=SOURCE, why=why)


def _read_ids(path: Path) -> tuple[tuple[str, object], ...]:
    """Return the pairs in a json object; a path that occurs twice is kept twice, a lone surrogate is written out."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=tuple)
    except (ValueError, RecursionError) as error:
        raise WeldError(f"{path}: is no json ({error}); mend the file or copy it again") from error
    except OSError as error:
        raise WeldError(f"{path}: cannot be read ({error.strerror}); give yourself the right to read it") from error
    if not isinstance(entries, tuple):
        raise WeldError(f"{path}: holds no object of path and class id; mend it, or name another index.layout")
    return tuple((printable(path), value) for path, value in entries)


def _row(
    names: Names, folder: str, path: str, class_id: object, *, class_ids: Mapping[int, str], session_pattern: str | None
) -> IndexRow:
    split = folder if folder.casefold() in SPLIT_OF_WORD else None
    file = _file_of(folder, path)
    if file is None:
        unsafe = f"unsafe_path: path {path!r} of the json in {folder or '.'} leads out of its folder; mend it"
        return IndexRow(f"{folder or '.'}:{path}", SOURCE, path or ".", source_split=split, problem=unsafe)
    label = class_ids.get(class_id) if isinstance(class_id, int) and not isinstance(class_id, bool) else None
    problem: str | None = None
    if label is None:
        problem = f"unknown_class: class id {class_id!r} has no name; add it to index.class_ids"
    elif file not in names.files_known:
        problem = f"missing: there is no file {file}; copy it from the data set, or drop it from the json"
    run = PurePosixPath(file.removeprefix(f"{folder}/")).parent.name or file
    session = session_or(run, file, session_pattern)
    return IndexRow(file, SOURCE, file, label, session=session, source_split=split, problem=problem)
