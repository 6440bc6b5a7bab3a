import json

from weld_pipeline.runtime.verdicts import Inspected, NotInspected


def test_input_without_a_verdict_says_so_in_its_place():
    entry = NotInspected("weld.png", "no such file")
    assert json.loads(json.dumps(entry.to_json())) == {
        "path": "weld.png",
        "verdict": "not_inspected",
        "error": "no such file",
    }
    assert entry.compact() is entry


def test_input_without_a_verdict_is_not_taken_for_one_with():
    assert not isinstance(NotInspected("weld.png", "no such file"), Inspected)
