"""What memory a Whisper model takes, by size and compute type: `python -m benchmarks.model_memory`.

A model of the true shape is made of random weights, saved with two bytes a parameter as models lie
on a hub, and loaded in a process of its own, on the CPU and as a worker does it. It hears one
window of noise, 30 seconds, with five beams; `--decoding '{"beam_size": 10}'` asks for something
else, and a batch gets as many windows as it has room for. All figures are less what the process had
before: the peak while it loaded, what it held then, and the peak of all, which one child needs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import ctranslate2
import numpy as np

from services.worker.launch import _ALLOCATOR

_DEMO = Path(__file__).resolve().parents[1] / "demo" / "models" / "whisper-demo"
_VOCABULARY = 51865
_WINDOW, _TEXT = 1500, 448  # positions of the encoder and the decoder
_MB = 1_000_000


class Shape(NamedTuple):
    """Layers that listen and layers that write, width, heads, mel bands."""

    encoder: int
    decoder: int
    width: int
    heads: int
    mels: int = 80


SHAPES = {
    "tiny": Shape(4, 4, 384, 6),
    "base": Shape(6, 6, 512, 8),
    "small": Shape(12, 12, 768, 12),
    "medium": Shape(24, 24, 1024, 16),
    "large-v2": Shape(32, 32, 1280, 20),
    "turbo": Shape(32, 4, 1280, 20),
    "distil-large-v2": Shape(32, 2, 1280, 20),
}

_LOADED = """
import sys
from pathlib import Path
import numpy as np
from services.model.decoding import Decoding
from services.worker.model_cache import ModelCache
from whisper_worker.engines import Hearing
from whisper_worker.engines.faster_whisper import FasterWhisper

def now(name):
    text = Path("/proc/self/status").read_text()
    return int(text.partition(name)[2].split()[0]) * 1024

before = now("VmHWM:")
folder, compute_type, asked = sys.argv[1:]
engine = ModelCache().get("it", lambda: FasterWhisper(Path(folder), "cpu", compute_type))
print(now("VmHWM:") - before, now("VmRSS:") - before, end=" ", flush=True)
decoding = Decoding.model_validate_json(asked)
count, window = decoding.batch_size if decoding.mode == "batched" else 1, 30 * 16_000
samples = np.random.default_rng(1).normal(0, 0.1, count * window).astype(np.float32)
windows = [(number * window, (number + 1) * window) for number in range(count)]
list(engine.transcribe(samples, "en", Hearing(decoding, windows=windows)))
print(now("VmHWM:") - before)
"""


def write(folder: Path, shape: Shape) -> Path:
    """A model of this shape, of small random weights."""
    spec = ctranslate2.specs.WhisperSpec(shape.encoder, shape.heads, shape.decoder, shape.heads)
    chance = np.random.default_rng(5)
    _fill(spec, chance, shape)
    for name in ("tokenizer.json", "preprocessor_config.json"):
        shutil.copyfile(_DEMO / name, folder / name)
    _take_config(spec)
    spec.register_vocabulary(_tokens())
    spec.validate()
    spec.optimize(quantization="float16")
    spec.save(str(folder))
    return folder


def _tokens() -> list[str]:
    tokens: list[str] = json.loads((_DEMO / "vocabulary.json").read_text(encoding="utf-8"))
    return tokens


def _take_config(spec: Any) -> None:
    for name, value in json.loads((_DEMO / "config.json").read_text(encoding="utf-8")).items():
        if hasattr(spec.config, name):
            setattr(spec.config, name, value)


def _fill(spec: Any, chance: np.random.Generator, shape: Shape) -> None:
    width = shape.width

    def some(*dimensions: int) -> np.ndarray:
        numbers = (chance.random(dimensions, np.float32) - np.float32(0.5)) * np.float32(0.02)
        return numbers.astype(np.float16)

    def linear(layer: Any, out: int, into: int = width) -> None:
        layer.weight, layer.bias = some(out, into), some(out)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(width, np.float32), np.zeros(width, np.float32)

    spec.encoder.conv1.weight, spec.encoder.conv1.bias = some(width, shape.mels, 3), some(width)
    spec.encoder.conv2.weight, spec.encoder.conv2.bias = some(width, width, 3), some(width)
    spec.encoder.position_encodings.encodings = some(_WINDOW, width)
    spec.decoder.position_encodings.encodings = some(_TEXT, width)
    words = some(_VOCABULARY, width)
    spec.decoder.embeddings.weight = spec.decoder.projection.weight = words
    norm(spec.encoder.layer_norm)
    norm(spec.decoder.layer_norm)
    for layer in [*spec.encoder.layer, *spec.decoder.layer]:
        norm(layer.self_attention.layer_norm)
        linear(layer.self_attention.linear[0], 3 * width)
        linear(layer.self_attention.linear[1], width)
        norm(layer.ffn.layer_norm)
        linear(layer.ffn.linear_0, 4 * width)
        linear(layer.ffn.linear_1, width, 4 * width)
    for layer in spec.decoder.layer:
        norm(layer.attention.layer_norm)
        linear(layer.attention.linear[0], width)
        linear(layer.attention.linear[1], 2 * width)
        linear(layer.attention.linear[2], width)


def measure(folder: Path, compute_type: str, decoding: str) -> list[int]:
    """Megabytes while it loads, when it has loaded and at most, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, str(folder), compute_type, decoding],
        env={**os.environ, "GLIBC_TUNABLES": _ALLOCATOR, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [int(each) // _MB for each in done.stdout.splitlines()[-1].split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=["tiny", "base", "small"], help=str([*SHAPES]))
    parser.add_argument("--compute-types", default="default,int8", help="separated by ,")
    parser.add_argument("--decoding", default="{}", help="JSON, of services/model/decoding.py")
    given = parser.parse_args()
    decoding = json.dumps({"temperature": [0.0], **json.loads(given.decoding)})
    print("model", "disk", "computed", "loading", "loaded", "peak", sep="\t")
    for size in given.sizes:
        with tempfile.TemporaryDirectory(prefix="fanscribe-memory-") as place:
            folder = write(Path(place), SHAPES[size])
            disk = (folder / "model.bin").stat().st_size // _MB
            for each in given.compute_types.split(","):
                print(size, disk, each, *measure(folder, each, decoding), sep="\t", flush=True)


if __name__ == "__main__":
    main()
