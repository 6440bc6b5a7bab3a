import hashlib
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import atomic_path, content_key, inside, sha256_file, write_json


def test_failed_write_leaves_the_old_file_and_no_temporary(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_process_killed_while_writing_leaves_no_file_under_the_name(tmp_path):
    script = (
        "import os, sys, pathlib\n"
        "from weld_pipeline.core.files import atomic_path\n"
        "with atomic_path(pathlib.Path(sys.argv[1])) as t:\n"
        "    t.write_text('half'); os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "a.txt")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "a.txt").exists()


def test_file_may_be_read_by_others(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1})
    assert oct((tmp_path / "a.json").stat().st_mode & 0o777) == "0o644"


def test_nan_is_refused_in_json(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"auc": float("nan")})


def test_sha256_of_a_file_is_the_standard_one(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert sha256_file(path) == hashlib.sha256(b"abc").hexdigest()


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_content_key_ignores_the_order_of_keys(parts):
    assert content_key(parts) == content_key(dict(reversed(parts.items())))


def test_content_key_tells_a_number_from_its_text():
    assert content_key("1") != content_key(1)


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../out"])
def test_path_that_leaves_its_folder_is_refused(tmp_path, name):
    with pytest.raises(WeldError, match="leaves its folder"):
        inside(tmp_path, name)


def test_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path)
    with pytest.raises(WeldError, match="leaves its folder"):
        inside(tmp_path / "root", "link/other")
