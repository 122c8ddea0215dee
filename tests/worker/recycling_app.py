"""A worker whose children load both native engines, do one job, and are replaced."""

from __future__ import annotations

import os
from pathlib import Path

from services.model.stages import DetectResult, DetectSpec
from services.worker.app import make_worker
from services.worker.work import Work


def detect(spec: DetectSpec, work: Work) -> DetectResult:
    import numpy as np

    from whisper_worker.engines.faster_whisper import FasterWhisper
    from whisper_worker.voice import probabilities

    pcm = work.fetch(spec.pcm)
    probabilities(pcm, lambda _: work.check())  # onnxruntime
    samples = np.frombuffer(pcm.read_bytes(), "<i2").astype(np.float32) / 32768
    engine = FasterWhisper(Path(os.environ["TINY_MODEL"]), "cpu", "default")  # CTranslate2
    language, _ = engine.detect(samples)
    with Path(os.environ["CHILDREN"]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    return DetectResult(language=language, probability=1.0)


app = make_worker(__name__, {"detect": detect})
app.conf.worker_max_tasks_per_child = 1
