import csv
from pathlib import Path

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.synthetic.drawn.shop.drawing import example_weld, pending_shop, run_files
from weld_pipeline.synthetic.drawn.shop.plan import manifest, plan_shop

TINY = example_weld(arc_s=0.3, lead_s=0.1, width=320, still_width=400)


def test_run_has_the_files_of_the_true_layout():
    names = [plan.path for plan in run_files(TINY)]
    folder = "weld_1_butt_7mm_FE410/01-02-23-0001-00"
    assert names[:3] == [f"{folder}/01-02-23-0001-00{suffix}" for suffix in (".avi", ".csv", ".flac")]
    assert all(name.startswith(f"{folder}/images/") for name in names[3:])
    assert len(set(names)) == 8


def test_unknown_class_is_named():
    with pytest.raises(WeldError, match="'Sagging' is unknown; use one of Good, Excessive_Penetration"):
        example_weld("Sagging")


def test_keys_depend_on_the_recipe():
    one, other = (pending_shop([weld], manifest_csv="", n_workers=1).items for weld in (TINY, example_weld(seed=1)))
    assert [item.id for item in one][:2] == ["manifest.csv", next(iter(run_files(TINY))).path]
    assert one[0].key == other[0].key
    assert all(a.key != b.key for a, b in zip(one[1:], other[1:], strict=True))


def test_shop_lists_every_file_once():
    welds = plan_shop(
        n_good=2,
        n_per_defect=1,
        n_sessions=2,
        confounded=False,
        lead_s=(0.1, 0.2),
        arc_s=(0.3, 0.4),
        handwritten_share=0.5,
        width=320,
        still_width=400,
        seed=0,
    )
    text = manifest(welds).to_csv(index=False)
    ids = [item.id for item in pending_shop(welds, manifest_csv=text, n_workers=1).items]
    assert len(set(ids)) == len(ids) == 1 + 13 * 8
    folders = {row["SUBDIRS"] for row in csv.DictReader(text.splitlines())}
    assert {str(Path(name).parent) for name in ids if name.endswith(".avi")} == folders
