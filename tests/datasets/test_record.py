import json

import pytest
from kedro.io import DatasetError

from weld_pipeline.core.seals import write_record
from weld_pipeline.datasets.record import RecordDataset
from weld_pipeline.decision.policy import Calibrator, Decision, Platt, ProbabilityPolicy

DECISION = Decision(
    calibrator=Calibrator(
        temperature=1.25, platt=Platt(a=-1 / 3, b=0.1), no_probability=None, split="calib", n_good=11, n_defect=12
    ),
    policy=ProbabilityPolicy(kind="p_defect", threshold=0.5),
)


@pytest.fixture
def dataset(tmp_path):
    return RecordDataset(filepath=str(tmp_path / "a/decision.json"), record="weld_pipeline.decision.policy.Decision")


def test_record_comes_back_as_the_record_it_was(dataset):
    assert not dataset.exists()
    dataset.save(DECISION)
    assert dataset.exists()
    loaded = dataset.load()
    assert type(loaded) is Decision
    assert loaded == DECISION  # to the last digit of a third


def test_file_and_preview_are_json_that_people_can_read(dataset, tmp_path):
    dataset.save(DECISION)
    said = json.loads((tmp_path / "a/decision.json").read_text())
    assert said["policy"] == {"kind": "p_defect", "threshold": 0.5}
    assert json.loads(dataset.preview()) == said


def test_record_that_was_changed_by_hand_is_not_believed(dataset, tmp_path):
    dataset.save(DECISION)
    path = tmp_path / "a/decision.json"
    path.write_text(path.read_text().replace('"threshold": 0.5', '"threshold": 0.9'))
    with pytest.raises(DatasetError, match=r"decision\.json: was damaged or changed .*`kedro run --pipeline=a`"):
        dataset.load()


def test_record_of_another_version_is_named_with_its_fault(dataset, tmp_path):
    dataset.save(DECISION)
    path = tmp_path / "a/decision.json"
    policy = {"kind": "p_defect", "threshold": 0.5, "unless": "Monday"}
    write_record(path, json.loads(path.read_text()) | {"policy": policy})
    with pytest.raises(DatasetError, match=r"policy\.p_defect\.unless: Extra inputs are not permitted; make it again"):
        dataset.load()


def test_file_that_is_no_json_is_named(dataset, tmp_path):
    dataset.save(DECISION)
    (tmp_path / "a/decision.json").write_text("{")
    with pytest.raises(DatasetError, match=r"decision\.json: .*it is no sealed JSON.*`kedro run --pipeline=a`"):
        dataset.load()
