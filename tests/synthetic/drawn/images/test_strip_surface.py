from tests.synthetic.drawn.drawn_images import accuracy_across_sessions, grey
from weld_pipeline.synthetic.drawn.images.plan import plan_images

IMAGES = plan_images("neu", n_sessions_per_class=4, n_per_session=2, written_share=0.0, width=96, seed=0)


def test_classes_can_be_told_apart_on_coils_never_seen():
    assert accuracy_across_sessions(IMAGES) > 0.8  # one in six by chance


def test_scratches_are_bright_and_inclusions_dark():
    for drawn in IMAGES:
        image = grey(drawn).astype(float)
        if drawn.label == "scratches":
            assert image.max() - image.mean() > 30
        if drawn.label == "inclusion":
            assert image.mean() - image.min() > 40
