"""Whether the splits a source proposes are followed."""

import pandas as pd
import pytest

from weld_pipeline.sources.splitting import follows_source

MANIFEST = pd.DataFrame({"status": ["ok", "ok", "ok", "quarantined"]})


def words(*given):
    return pd.Series(given, dtype="string")


def may_train(*allowed):
    return pd.Series(allowed)


@pytest.mark.parametrize(
    ("proposed", "allowed", "follows"),
    [
        (("train", "train", "test", None), None, True),
        ((" TRAIN ", "Training", "val", None), None, True),
        ((None, None, None, None), None, False),
        (("test", "test", "test", "train"), None, False),  # its only train row cannot be used
        (("fold 1", "fold 2", "fold 3", None), None, False),
        (("train", "train", "test", None), (True, True, False, True), True),
        (("train", "train", "test", None), (True, False, True, True), False),  # a defect in its train
        (("train", "test", "test", "train"), (True, False, False, False), True),  # what is quarantined does not train
    ],
)
def test_source_is_followed_where_its_train_may_train(proposed, allowed, follows):
    assert follows_source(MANIFEST, words(*proposed), may_train(*allowed) if allowed else None) is follows
