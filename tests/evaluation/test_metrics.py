"""Metrics of confusion matrices: by hand, against scikit-learn, against a published matrix."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from weld_pipeline.core.errors import WeldError
from weld_pipeline.evaluation.metrics import auroc, class_indices, class_scores, grouped_confusion, pass_fail, rates

# Good, crack, pore: of 10 good welds 2 are called pore; of 5 cracks 1 passes, 1 is called pore; of 5 pores all are found.
CONFUSION = np.array([[8, 0, 2], [1, 3, 1], [0, 0, 5]])
IS_GOOD = np.array([True, False, False])


def test_rates_match_a_hand_calculation() -> None:
    found = {name: float(value) for name, value in rates(CONFUSION, IS_GOOD).items()}
    assert found["accuracy"] == pytest.approx(16 / 20)
    assert found["balanced_accuracy"] == pytest.approx((8 / 10 + 3 / 5 + 5 / 5) / 3)
    assert found["macro_f1"] == pytest.approx((16 / 19 + 6 / 8 + 10 / 13) / 3)  # 2·hits / (true + predicted)
    assert found["defect_recall"] == pytest.approx(9 / 10)  # the crack called pore is still rejected
    assert found["escape_rate"] == pytest.approx(1 / 10)
    assert found["good_specificity"] == pytest.approx(8 / 10)
    assert found["false_reject_rate"] == pytest.approx(2 / 10)


def test_pass_fail_counts_every_weld_once() -> None:
    assert pass_fail(CONFUSION, IS_GOOD) == {"caught": 9, "escaped": 1, "passed": 8, "rejected": 2}


def test_class_neither_true_nor_predicted_has_no_scores_and_does_not_count() -> None:
    padded = np.zeros((4, 4), dtype=int)
    padded[:3, :3] = CONFUSION
    assert np.isnan(class_scores(padded).f1[3])
    is_good = np.append(IS_GOOD, False)
    assert float(rates(padded, is_good)["macro_f1"]) == pytest.approx(float(rates(CONFUSION, IS_GOOD)["macro_f1"]))


def test_class_that_was_not_drawn_is_left_out_of_macro_f1() -> None:
    draw = CONFUSION.copy()
    draw[2] = 0  # no pore was drawn, but three welds are called pore
    f1_of_others = (16 / 19 + 6 / 8) / 2
    assert float(rates(draw, IS_GOOD, drawn_from=CONFUSION)["macro_f1"]) == pytest.approx(f1_of_others)
    assert float(rates(draw, IS_GOOD)["macro_f1"]) == pytest.approx(2 / 3 * f1_of_others)  # as a table of its own: 0


def test_a_table_without_good_welds_has_no_specificity() -> None:
    found = rates(CONFUSION, np.zeros(3, dtype=bool))
    assert np.isnan(found["good_specificity"])
    assert np.isnan(found["false_reject_rate"])


def test_a_stack_gives_what_each_matrix_gives() -> None:
    stack = np.stack([CONFUSION, CONFUSION.T + 1])
    for name, values in rates(stack, IS_GOOD).items():
        assert values.tolist() == [float(rates(each, IS_GOOD)[name]) for each in stack]


label_pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


@settings(max_examples=30)
@given(label_pairs)
def test_rates_agree_with_scikit_learn(pairs) -> None:
    truth, guess = np.array(pairs).T
    confusion = grouped_confusion(truth, guess, np.zeros(len(truth), dtype=int), n_classes=5, n_groups=1)[0]
    found = rates(confusion, np.array([True, False, False, False, False]))
    assert float(found["accuracy"]) == pytest.approx(reference.accuracy_score(truth, guess))
    assert float(found["macro_f1"]) == pytest.approx(reference.f1_score(truth, guess, average="macro", zero_division=0))
    recalls = reference.recall_score(truth, guess, labels=np.unique(truth), average=None, zero_division=0)
    assert float(found["balanced_accuracy"]) == pytest.approx(recalls.mean())


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.integers(0, 4)), min_size=2, max_size=40))
def test_auroc_agrees_with_scikit_learn_on_ties_and_weights(rows) -> None:
    scores, is_defect, weight = (np.array(column) for column in zip(*rows, strict=True))
    found = auroc(scores.astype(float), is_defect, weight[None])[0]
    if weight[is_defect].sum() == 0 or weight[~is_defect].sum() == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(reference.roc_auc_score(is_defect, scores, sample_weight=weight))


def test_unknown_label_is_named() -> None:
    with pytest.raises(WeldError, match="predicted label 'rust' is none of the classes"):
        class_indices(["good", "rust"], ["good", "crack"], what="predicted label")


def test_published_confusion_matrix_gives_the_published_numbers(real_data) -> None:
    table = pd.read_csv(real_data / "weldnet_results" / "confusion_matrix.csv", index_col=0)
    found = rates(table.to_numpy(), np.array(table.index == "Good"))
    # REFERENCES §1: 1,732 predictions, accuracy 87.4 %, macro-F1 .862, good-weld specificity 68.6 %.
    assert table.to_numpy().sum() == 1732
    assert float(found["accuracy"]) == pytest.approx(0.8741, abs=5e-5)
    assert float(found["macro_f1"]) == pytest.approx(0.862, abs=5e-4)
    assert float(found["balanced_accuracy"]) == pytest.approx(0.863, abs=5e-4)
    assert float(found["defect_recall"]) == pytest.approx(0.971, abs=5e-4)
    assert float(found["good_specificity"]) == pytest.approx(0.686, abs=5e-4)
