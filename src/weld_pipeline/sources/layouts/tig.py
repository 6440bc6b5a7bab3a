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
from weld_pipeline.sources.layouts.listing import Names
from weld_pipeline.sources.layouts.rows import SPLIT_OF_WORD, IndexRow, clean_path, session_or, unclaimed

SOURCE = "tig"


def label_files(names: Names) -> list[str]:
    """Return the json files that may hold classes: in the source folder, or in one of its folders named as a split."""
    files = (file for file in names.files if file.endswith(".json") and file != RECORD_NAME)
    return [file for file in files if (folder := file.rpartition("/")[0]) == "" or folder.casefold() in SPLIT_OF_WORD]


def index_tig(root: Path, names: Names, *, class_ids: Mapping[int, str], session_pattern: str | None) -> list[IndexRow]:
    """Return a row for each entry of each json, then one for each image on disk that none names.

    Args:
        session_pattern: Regular expression on the path; without one or a match, the run folder is the session.

    Raises:
        WeldError: If there is no json, there are two in a folder, one cannot be read, or no class id has a name.
    """
    files = label_files(names)
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
    rows = [
        _row(names, folder, path, class_id, class_ids=class_ids, session_pattern=session_pattern)
        for file, folder in zip(files, folders, strict=True)
        for path, class_id in _read_ids(inside(root, file))
    ]
    why = "no json of class ids names it; add it there"
    return rows + unclaimed(names, rows, files=names.images, source=SOURCE, why=why)


def _read_ids(path: Path) -> tuple[tuple[str, object], ...]:
    """Return the pairs in a json object; a path that occurs twice is kept twice."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=tuple)
    except ValueError as error:
        raise WeldError(f"{path}: is no json ({error}); mend the file or copy it again") from error
    if not isinstance(entries, tuple):
        raise WeldError(f"{path}: holds no object of path and class id; mend it, or name another index.layout")
    return entries


def _row(
    names: Names, folder: str, path: str, class_id: object, *, class_ids: Mapping[int, str], session_pattern: str | None
) -> IndexRow:
    split = folder if folder.casefold() in SPLIT_OF_WORD else None
    inner = clean_path(path)
    if inner is None:
        unsafe = f"unsafe_path: path {path!r} of the json in {folder or '.'} leads out of its folder; mend it"
        return IndexRow(f"{folder or '.'}:{path}", SOURCE, path or ".", source_split=split, problem=unsafe)
    file = f"{folder}/{inner}" if folder else inner
    label = class_ids.get(class_id) if isinstance(class_id, int) and not isinstance(class_id, bool) else None
    problem: str | None = None
    if label is None:
        problem = f"unknown_class: class id {class_id!r} has no name; add it to index.class_ids"
    elif file not in names.files_known:
        problem = f"missing: there is no file {file}; copy it from the data set, or drop it from the json"
    run = PurePosixPath(inner).parent.name or file
    session = session_or(run, file, session_pattern)
    return IndexRow(file, SOURCE, file, label, session=session, source_split=split, problem=problem)
