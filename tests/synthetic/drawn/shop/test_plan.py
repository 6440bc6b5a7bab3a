import io
import re

import numpy as np
import pandas as pd
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.synthetic.drawn.recipes import as_table, from_table
from weld_pipeline.synthetic.drawn.shop.plan import MANIFEST_COLUMNS, manifest, plan_shop
from weld_pipeline.synthetic.drawn.shop.welds import CLASSES, DrawnWeld


def shop(**changes):
    plain = {
        "n_good": 24,
        "n_per_defect": 8,
        "n_sessions": 16,
        "confounded": False,
        "lead_s": (0.7, 1.5),
        "arc_s": (2.6, 3.4),
        "handwritten_share": 0.15,
        "width": 960,
        "still_width": 1600,
        "seed": 0,
    }
    return plan_shop(**(plain | changes))


def date_lookup_accuracy(welds):
    """Share of runs whose class is the commonest one among the other runs of their date."""
    table = as_table(welds, DrawnWeld)
    hits = 0
    for index, row in table.iterrows():
        others = table[(table.session == row.session) & (table.index != index)].label
        hits += others.mode().iloc[0] == row.label
    return hits / len(table)


def test_shop_has_the_asked_number_of_each_class():
    counts = as_table(shop(), DrawnWeld).label.value_counts()
    assert counts["Good"] == 24
    assert all(counts[name] == 8 for name in CLASSES[1:])


def test_run_ids_are_unique_and_end_in_the_code_of_the_class():
    welds = shop()
    assert len({weld.run_id for weld in welds}) == 112
    for weld in welds:
        assert re.fullmatch(r"\d\d-\d\d-\d\d-\d{4}-\d\d", weld.run_id)
        assert weld.run_id.startswith(weld.session)
        assert CLASSES[int(weld.run_id[-2:])] == weld.label


def test_sessions_and_configurations_hold_several_classes():
    table = as_table(shop(), DrawnWeld)
    assert table.session.nunique() == 16
    assert table.configuration.nunique() == 12
    assert table.groupby("session").label.nunique().min() >= 4
    assert table.groupby("label").session.nunique().min() == 8


def test_date_alone_tells_the_class_only_in_a_confounded_shop():
    assert date_lookup_accuracy(shop()) < 0.25
    assert date_lookup_accuracy(shop(confounded=True)) > 0.6


def test_manifest_has_the_columns_and_kinds_of_the_real_one():
    table = manifest(shop())
    assert list(table.columns) == list(MANIFEST_COLUMNS)
    assert len(table.columns) == 12
    assert set(table.SPLIT) == {"TRAIN", "TEST"}
    assert set(table.WELD_TYPE) == {"FILLET", "NON_FILLET"}
    assert (table.SUBDIRS.str.split("/").str[0] == table.DIRECTORY).all()


def test_manifest_reads_like_the_real_one(real_data):
    real = pd.read_csv(real_data / "weldnet_results" / "df_subset.csv")
    drawn = pd.read_csv(io.StringIO(manifest(shop()).to_csv(index=False)))
    assert list(drawn.columns) == list(real.columns)
    assert [kind.kind for kind in drawn.dtypes] == [kind.kind for kind in real.dtypes]


def test_train_and_test_cross_sessions_as_in_the_real_data_set():
    table = as_table(shop(), DrawnWeld)
    assert (table.groupby("session").split.nunique() == 2).mean() > 0.5
    assert 0.3 < (table.split == "TEST").mean() < 0.5


def test_plan_survives_a_csv_file():
    welds = shop()
    text = as_table(welds, DrawnWeld).to_csv(index=False)
    assert from_table(pd.read_csv(io.StringIO(text)), DrawnWeld) == welds


def test_seed_decides_the_plan():
    assert shop() == shop()
    assert shop() != shop(seed=1)


def test_one_session_may_hold_everything():
    assert {weld.session for weld in shop(n_sessions=1)} == {"09-05-22"}


def test_times_stay_in_their_range():
    arcs = np.array([weld.arc_s for weld in shop()])
    assert arcs.min() >= 2.6
    assert arcs.max() <= 3.4


def test_empty_shop_is_refused():
    with pytest.raises(WeldError, match="nothing would be drawn"):
        shop(n_good=0, n_per_defect=0)
