"""Sound as a lossy codec leaves it: what users upload has mostly been through one."""

import io
import random
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RATE = 16000
_CODECS = (  # container, codec, bits a second
    ("mp3", "libmp3lame", (24_000, 32_000, 48_000, 64_000)),
    ("ogg", "libopus", (12_000, 16_000, 24_000, 32_000)),
)


def coded(audio: NDArray[np.float32], chance: random.Random) -> NDArray[np.float32]:
    """The same sound, as long as before, through a codec and bit rate drawn by chance."""
    form, codec, rates = chance.choice(_CODECS)
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=RATE)
        stream.layout, stream.bit_rate = "mono", chance.choice(rates)
        samples = np.clip(audio * 32768, -32768, 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(stream.format, "mono", stream.rate, stream.frame_size or None)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    file.seek(0)
    resampler = av.AudioResampler("s16", "mono", RATE)
    with av.open(file, "r", format=form) as container:
        frames = [piece for f in container.decode(audio=0) for piece in resampler.resample(f)]
    frames += resampler.resample(None)
    heard = np.concatenate([f.to_ndarray().reshape(-1) for f in frames])[: len(audio)]
    return np.pad(heard.astype(np.float32) / 32768, (0, len(audio) - len(heard)))
