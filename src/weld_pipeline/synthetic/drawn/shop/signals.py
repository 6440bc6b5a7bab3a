"""Signals of a run: the sensor log and the sound."""

import io
from datetime import datetime, timedelta

import av
import numpy as np
from jaxtyping import Float, Int16

from weld_pipeline.synthetic.drawn.files import PROVENANCE
from weld_pipeline.synthetic.drawn.shop.video import run_rng
from weld_pipeline.synthetic.drawn.shop.welds import DrawnWeld

_HEADER = (
    "Date,Time,Part No,Pressure,CO2 Weld Flow,Feed,Primary Weld Current,Wire Consumed,Secondary Weld Voltage,Remarks "
)
_ROW_S = 0.109  # the logger of the data set writes a row about every 109 ms
_SAMPLE_RATE_HZ = 16_000


def draw_sensor_log(weld: DrawnWeld) -> bytes:
    """Return the sensor csv: about nine rows a second in the nine filled columns of the data set."""
    rng = run_rng(weld, "csv")
    t = np.arange(0, weld.duration_s, _ROW_S) + rng.uniform(0, 0.02)
    burning = (t >= weld.lead_in_s) & (t < weld.lead_in_s + weld.arc_s)
    gas = np.convolve(np.clip(t - weld.lead_in_s + 0.3, 0, None) > 0, np.full(6, 1 / 6))[: len(t)]
    unrest = {"Porosity": 0.09, "Spatter": 0.12, "Burnthrough": 0.10}.get(weld.label, 0.035)
    current = np.where(burning, weld.current_a * (1 + unrest * rng.standard_normal(len(t))), 0)
    voltage = np.where(burning, weld.voltage_v * (1 + unrest / 3 * rng.standard_normal(len(t))), 0)
    feed = np.where(burning, 0.29 * weld.current_a * (1 - np.exp(-(t - weld.lead_in_s) / 1.2)), 0.0)
    consumed = np.cumsum(np.where(burning, 0.33 * weld.current_a * _ROW_S, 0)) + rng.uniform(0, 8)
    columns = (
        weld.gas_bar * (1 - 0.97 * gas) + rng.normal(0, 0.02, len(t)),
        12 * gas + rng.normal(0, 0.02, len(t)),
        feed + rng.uniform(0, 0.4),
        current,
        consumed,
        voltage,
    )
    start = _started(weld)
    lines = [_HEADER]
    for row, seconds in enumerate(t):
        now = start + timedelta(seconds=float(seconds))
        # Twelve-hour clock without am or pm and dates without leading zeros, as the logger has it.
        stamp = f"{now.month}/{now.day}/{now.year},{now:%I:%M:%S}.{now.microsecond // 1000:03d}"
        lines.append(f"{stamp},{weld.run_id}," + ",".join(f"{column[row]:.2f}" for column in columns))
    return ("\n".join(lines) + "\n").encode()


def draw_sound(weld: DrawnWeld) -> bytes:
    """Return the .flac: 16 kHz, one channel, the hiss and crackle of the arc between two silences."""
    rng = run_rng(weld, "flac")
    n_samples = round(weld.duration_s * _SAMPLE_RATE_HZ)
    t = np.arange(n_samples) / _SAMPLE_RATE_HZ
    hiss = _coloured(rng.standard_normal(n_samples))
    pulse = 1 + 0.5 * np.sin(2 * np.pi * rng.uniform(85, 125) * t)
    crackle = np.zeros(n_samples)
    rate_hz = 60 if weld.label == "Spatter" else 12
    at = rng.integers(0, n_samples, rng.poisson(rate_hz * weld.duration_s))
    crackle[at] = rng.exponential(14, len(at))
    crackle = np.convolve(crackle, np.exp(-np.arange(160) / 30) * rng.standard_normal(160))[:n_samples]
    burning = (t >= weld.lead_in_s) & (t < weld.lead_in_s + weld.arc_s)
    sound = np.where(burning, 0.003 * (hiss * pulse + 0.4 * crackle), 2e-5 * hiss)
    return _encode_flac(np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)[None])


def _coloured(noise: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Return noise with the spectrum of a welding arc: a broad hump at 1 to 3 kHz."""
    spectrum = np.fft.rfft(noise)
    frequency_hz = np.fft.rfftfreq(len(noise), 1 / _SAMPLE_RATE_HZ)
    shaped = np.fft.irfft(spectrum * (0.3 + np.exp(-(((frequency_hz - 1800) / 1600) ** 2))), len(noise))
    return shaped / shaped.std()


def _encode_flac(samples: Int16[np.ndarray, "1 N"]) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="flac", options={"fflags": "+bitexact"}) as container:
        container.metadata["comment"] = PROVENANCE
        stream = container.add_stream("flac", rate=_SAMPLE_RATE_HZ, layout="mono", options={"flags": "+bitexact"})
        stream.format = "s16"
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts = _SAMPLE_RATE_HZ, 0
        # The encoder takes blocks of its own size and the muxer needs their times: the resampler cuts them.
        blocks = av.AudioResampler("s16", "mono", _SAMPLE_RATE_HZ, frame_size=stream.codec_context.frame_size or 4096)
        for block in (*blocks.resample(frame), *blocks.resample(None)):
            container.mux(stream.encode(block))
        container.mux(stream.encode(None))
    return file.getvalue()


def _started(weld: DrawnWeld) -> datetime:
    day = datetime.strptime(weld.session, "%m-%d-%y")  # noqa: DTZ007 - the logger writes local time without a zone
    number = int(weld.run_id.split("-")[3])
    return day + timedelta(hours=9, minutes=4 * number, seconds=weld.seed % 60)
