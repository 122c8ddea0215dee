"""Where somebody speaks: Silero VAD over a PCM file, in a stream, with its state carried on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WINDOW = 512  # samples that get one probability
_CONTEXT = 64  # samples of the window before that the model also sees
_WINDOWS_A_RUN = 500  # 16 s: more at once is no faster and takes more memory

Probabilities = NDArray[np.float32]


def probabilities(
    pcm: Path, tell: Callable[[int], None], first: int = 0, total: int | None = None
) -> Probabilities:
    """How likely each window of a file's `total` samples from the `first` on holds speech; `tell`
    hears how many are done.

    The last window may be short; silence fills it up.
    """
    found = [np.zeros(0, np.float32)]
    run = _Run()
    done = 0
    with pcm.open("rb") as file:
        file.seek(2 * first)
        left = pcm.stat().st_size // 2 - first if total is None else total
        while data := file.read(2 * min(left - done, WINDOW * _WINDOWS_A_RUN)):
            found.append(run.hear(_samples(data)))
            done += len(data) // 2
            tell(done)
    return np.concatenate(found)


def of(samples: NDArray[np.float32]) -> Probabilities:
    """The same of samples in memory."""
    run = _Run()
    padded = np.pad(samples, (0, -len(samples) % WINDOW))
    most = WINDOW * _WINDOWS_A_RUN
    found = [run.hear(padded[at : at + most]) for at in range(0, len(padded), most)]
    return np.concatenate([np.zeros(0, np.float32), *found])


class _Run:
    """One recording, piece by piece; each a number of whole windows."""

    def __init__(self) -> None:
        self._state = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._before = np.zeros(_CONTEXT, np.float32)

    def hear(self, samples: NDArray[np.float32]) -> Probabilities:
        inputs = {"input": _with_context(samples, self._before), "h": self._state, "c": self._cell}
        output, self._state, self._cell = _session().run(None, inputs)
        self._before = samples[-_CONTEXT:]
        return np.asarray(output, np.float32).reshape(-1)


def _samples(data: bytes) -> NDArray[np.float32]:
    samples = np.frombuffer(data, "<i2").astype(np.float32) / 32768.0
    return np.pad(samples, (0, -len(samples) % WINDOW))


def _with_context(samples: NDArray[np.float32], before: NDArray[np.float32]) -> Any:
    """Each window behind the end of the one before it."""
    windows = samples.reshape(-1, WINDOW)
    tails = np.concatenate([before[None], windows[:-1, -_CONTEXT:]])
    return np.concatenate([tails, windows], axis=1)


@cache
def _session() -> Any:
    """The model that faster-whisper ships; its package is not imported for it."""
    import onnxruntime  # noqa: PLC0415  loaded only where speech is looked for

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        str(_model_file()), providers=["CPUExecutionProvider"], sess_options=options
    )


def _model_file() -> Path:
    package = find_spec("faster_whisper")
    if package is None or package.origin is None:
        raise RuntimeError("faster-whisper is not installed")
    return Path(package.origin).parent / "assets" / "silero_vad_v6.onnx"
