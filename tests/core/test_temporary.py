"""Temporary files: gone after an error, after a full disk, and at the next run after a kill."""

import ast
import errno
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import weld_pipeline
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import atomic_folder, atomic_path, link_or_copy, write_bytes, write_new
from weld_pipeline.core.temporary import sweep_temporary

SCRIPT = """
import os, pathlib, sys
from weld_pipeline.core.files import atomic_folder, atomic_path
folder = pathlib.Path(sys.argv[1])
with atomic_folder(folder / "bundle") as half, atomic_path(folder / "deep" / "a.json") as file:
    (half / "model.onnx").write_text("half")
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path):
    """A process in the middle of writing a folder and a file."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def everything(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_stays(tmp_path, writer):
    (tmp_path / "notes.tmp").write_text("somebody else's")
    write_bytes(tmp_path / "done.json", b"{}")
    before = everything(tmp_path)
    assert sweep_temporary(tmp_path) == []
    assert everything(tmp_path) == before
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert len(sweep_temporary(tmp_path)) == 2
    assert everything(tmp_path) == ["deep", "done.json", "notes.tmp"]


def test_link_with_the_name_of_a_temporary_file_is_not_followed(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / ".a.weld-tmp").symlink_to(tmp_path / "mine")
    assert sweep_temporary(tmp_path / "data") == []
    assert (tmp_path / "mine").is_dir()


@pytest.fixture
def small_disk():
    """No file may be larger than 64 KiB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.usefixtures("small_disk")
def test_file_that_does_not_fit_is_named_with_what_it_needs_and_the_old_one_stays(tmp_path):
    write_bytes(tmp_path / "m.ckpt", b"old")
    with pytest.raises(WeldError, match=r"m\.ckpt: cannot be written .*needs 0\.2 MB, .* MB are free; make room"):
        write_bytes(tmp_path / "m.ckpt", bytes(200_000))
    assert everything(tmp_path) == ["m.ckpt"]
    assert (tmp_path / "m.ckpt").read_bytes() == b"old"


@pytest.mark.usefixtures("small_disk")
def test_folder_that_does_not_fit_leaves_the_old_one(tmp_path):
    with atomic_folder(tmp_path / "bundle") as temporary:
        (temporary / "card.md").write_text("old")

    def write():
        with atomic_folder(tmp_path / "bundle") as temporary:
            (temporary / "card.md").write_text("new")
            (temporary / "model.onnx").write_bytes(bytes(200_000))

    with pytest.raises(WeldError, match=r"bundle: cannot be written .*needs more than 65\.5 kB"):
        write()
    assert everything(tmp_path) == ["bundle", "bundle/card.md"]
    assert (tmp_path / "bundle" / "card.md").read_text() == "old"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_disk_that_is_full_when_bytes_are_flushed_is_named(tmp_path, monkeypatch, number):
    def full(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        WeldError, match=r"a\.json: cannot be written \(.*\): needs 0\.\d kB.*run the same command again"
    ):
        write_bytes(tmp_path / "a.json", b"{}")
    assert everything(tmp_path) == []


def test_other_errors_keep_their_kind(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a"):
        Path("nowhere").read_bytes()
    assert everything(tmp_path) == []


def test_name_of_80_characters_of_four_bytes_is_written(tmp_path):
    path = tmp_path / ("🔥" * 60)
    write_bytes(path, b"x")
    assert path.read_bytes() == b"x"


def test_new_file_takes_no_others_place(tmp_path):
    assert write_new(tmp_path / "a", b"first")
    assert not write_new(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert everything(tmp_path) == ["a"]


def test_file_of_two_names_is_replaced_under_one_of_them_alone(tmp_path):
    write_bytes(tmp_path / "a", b"old")
    link_or_copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").stat().st_ino == (tmp_path / "b").stat().st_ino
    write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "b").read_bytes() == b"old"


def test_where_there_are_no_hard_links_a_file_is_copied(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", unsupported)
    write_bytes(tmp_path / "a", b"x")
    link_or_copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"x"


# Names of what writes a file, or moves one, in Python, NumPy, pandas, Pillow, matplotlib, torch, safetensors and ONNX.
WRITERS = {
    *(
        "write_text",
        "write_bytes",
        "touch",
        "savefig",
        "to_csv",
        "to_parquet",
        "to_json",
        "to_html",
        "to_pickle",
        "dump",
    ),
    *(
        "save",
        "save_file",
        "savez",
        "savez_compressed",
        "save_model",
        "tofile",
        "copy",
        "copy2",
        "copyfile",
        "copytree",
    ),
    *("move", "rename", "replace", "link", "symlink_to", "hardlink_to", "mkstemp", "mkdtemp", "NamedTemporaryFile"),
}
# What `with` or `=` binds to these is safe to write to: a temporary file or folder, or memory.
SAFE = ("atomic_path", "atomic_folder", "BytesIO", "StringIO", "temporary_beside")
# What writes by itself, and why it may.
KNOWN = {
    "nn/weights/hub.py: target.open('wb')",  # weights.choose.fetch, a temporary file
    "deploy/bundle.py: path.write_bytes(source)",  # write_bundle, in a temporary folder
    "core/lock.py: self.path.open('a+', encoding='utf-8')",  # a lock must stay the same file
    "tracking/database.py: new.replace(path)",  # made whole by MLflow under another name
    "tracking/database.py: path.rename(aside)",  # a half one is set aside
}


def test_every_file_is_written_by_way_of_core_files():
    """Whoever adds a writer uses `atomic_path`, `atomic_folder` or `write_bytes`, so no half file can bear a final name."""
    root = Path(weld_pipeline.__file__).parent
    own = {root / "core" / "files.py", root / "core" / "temporary.py"}
    found = {
        f"{path.relative_to(root).as_posix()}: {call}"
        for path in root.rglob("*.py")
        if path not in own
        for call in direct_writes(path.read_text())
    }
    assert found == KNOWN


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("path.write_text('x')", True),
        ("open(path, 'w')", True),
        ("path.open(mode='ab')", True),
        ("figure.savefig(path)", True),
        ("torch.save(state, path)", True),
        ("part.replace(path)", True),
        ("path.open('rb')", False),
        ("text.replace('a', 'b')", False),
        ("with atomic_path(path) as t:\n    torch.save(state, t)", False),
        ("b = io.BytesIO()\nfigure.savefig(b)", False),
    ],
)
def test_direct_write_is_told_from_a_safe_one(line, is_found):
    assert bool(direct_writes(line)) is is_found


def direct_writes(source):
    tree = ast.parse(source)
    safe = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and node.optional_vars and names_in(node.context_expr) & {*SAFE, *safe}:
            safe |= names_in(node.optional_vars)
        if isinstance(node, ast.Assign) and names_in(node.value) & set(SAFE):
            safe |= set().union(*map(names_in, node.targets))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [ast.unparse(node) for node in calls if writes(node) and not names_in(node) & safe]


def names_in(node):
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return names | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def writes(node):
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    if name == "open":
        modes = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
        return any(re.fullmatch("[rwxabt+]+", mode) and set(mode) & set("wxa+") for mode in modes)
    if name in {"replace", "rename"}:  # of a path; a text's has two arguments, a record's names, a column's a text
        return len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Constant)
    is_helper = isinstance(node.func, ast.Name) or "files" in names_in(node.func)
    return name in WRITERS and bool(node.args) and not is_helper  # `to_csv()` returns a text, `copy()` an array
