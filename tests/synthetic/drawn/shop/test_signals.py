import io

import av
import numpy as np
import pandas as pd

from weld_pipeline.synthetic.drawn.shop.drawing import example_weld
from weld_pipeline.synthetic.drawn.shop.signals import draw_sensor_log, draw_sound

WELD = example_weld(arc_s=1.0, lead_s=0.5)


def sensor_log():
    return pd.read_csv(io.BytesIO(draw_sensor_log(WELD)), index_col=False)


def test_sensor_log_has_nine_rows_a_second_and_no_remarks():
    log = sensor_log()
    assert len(log) == 19  # 2 s at one row in 109 ms
    assert log["Remarks "].isna().all()
    assert (log["Part No"] == WELD.run_id).all()


def test_sensor_log_has_the_columns_of_a_real_one(real_data):
    path = next((real_data / "intel_robotic_welding").glob("overlap*/*/*.csv"))
    real = pd.read_csv(path, index_col=False)
    assert list(sensor_log().columns) == list(real.columns)
    assert [kind.kind for kind in sensor_log().dtypes] == [kind.kind for kind in real.dtypes]


def test_current_flows_while_the_arc_burns():
    current = sensor_log()["Primary Weld Current"].to_numpy()
    t = np.arange(19) * 0.109
    assert np.all(current[(t > 0.55) & (t < 1.4)] > 100)
    assert not current[(t < 0.4) | (t > 1.55)].any()


def test_wire_consumed_never_falls():
    assert np.all(np.diff(sensor_log()["Wire Consumed"]) >= 0)


def test_sound_is_mono_16_khz_and_loud_only_while_the_arc_burns():
    with av.open(io.BytesIO(draw_sound(WELD))) as container:
        stream = container.streams.audio[0]
        assert (stream.rate, stream.channels, stream.codec_context.name) == (16_000, 1, "flac")
        assert "not a recording of a real weld" in container.metadata["comment"]
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]).astype(float)
    assert len(sound) == 32_000
    assert sound[9_000:23_000].std() > 20 * sound[:7_000].std()


def test_signals_are_the_same_under_a_seed():
    assert draw_sensor_log(WELD) == draw_sensor_log(WELD)
    assert draw_sound(WELD) == draw_sound(WELD)
