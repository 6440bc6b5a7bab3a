import subprocess

from weld_pipeline.core.provenance import code_revision, library_versions


def git(folder, *arguments):
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_revision_tells_a_changed_checkout_from_a_clean_one(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "a")
    clean = code_revision(tmp_path)
    (tmp_path / "a").write_text("2")
    assert clean.commit
    assert clean.is_dirty is False
    assert code_revision(tmp_path).is_dirty is True


def test_outside_a_checkout_nothing_is_claimed(tmp_path):
    revision = code_revision(tmp_path)
    assert (revision.commit, revision.is_dirty) == (None, None)


def test_versions_name_what_numbers_depend_on():
    assert {"python", "torch", "onnxruntime"} <= set(library_versions())
