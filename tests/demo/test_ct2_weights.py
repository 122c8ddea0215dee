"""Weights that the real converter wrote are read back, and say what the engine says."""

from __future__ import annotations

import math
import struct
from functools import cache
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from numpy.typing import NDArray

from demo import speech
from demo.grammar import sentences
from demo.train import tokens as tk
from demo.train.ct2_weights import read
from demo.train.tokens import SHIPPED

Array = NDArray[np.float32]
HEADS = 4


class _Tiny(ctranslate2.specs.LanguageModelSpec):
    """The smallest model that has a matrix, a vector, a number and a tied matrix."""

    def __init__(self, table: Array) -> None:
        super().__init__()
        self.table = ctranslate2.specs.common_spec.EmbeddingsSpec()
        self.table.weight = table.copy()  # it is quantized in its place
        self.tied = ctranslate2.specs.common_spec.LinearSpec()
        self.tied.weight = table.copy()
        self.tied.bias = np.arange(len(table), dtype=np.float32)

    @property
    def name(self) -> str:
        return "Tiny"

    @property
    def revision(self) -> int:
        return 3

    def get_default_config(self) -> ctranslate2.specs.model_spec.LanguageModelConfig:
        return ctranslate2.specs.model_spec.LanguageModelConfig()

    def get_vocabulary_size(self) -> int:
        return int(self.table.weight.shape[0])


def _written(folder: Path, table: Array, quantization: str | None) -> dict[str, Array]:
    spec = _Tiny(table)
    spec.register_vocabulary([str(number) for number in range(len(table))])
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(folder))
    return read(folder / "model.bin")


@pytest.mark.parametrize("quantization", [None, "int8", "float16"])
def test_what_the_converter_wrote_comes_back_as_near_as_it_was_kept(
    tmp_path: Path, quantization: str | None
) -> None:
    table = np.random.default_rng(1).standard_normal((7, 5)).astype(np.float32)
    table[3] *= 40  # each row has a scale of its own
    found = _written(tmp_path, table, quantization)
    step = np.abs(table).max(axis=1, keepdims=True) / 127 if quantization == "int8" else 0.03
    allowed = np.zeros_like(table) + (step if quantization else 0)
    assert (np.abs(found["table/weight"] - table) <= allowed).all()
    assert np.array_equal(found["table/weight"], found["tied/weight"])
    assert list(found["tied/bias"]) == list(range(7))
    assert not [name for name in found if name.endswith("_scale")]
    assert {value.dtype for value in found.values()} == {np.dtype(np.float32)}


def test_another_version_of_the_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(struct.pack("I", 5) + bytes(40))
    with pytest.raises(ValueError, match="version 5 of the format, not 6"):
        read(path)


@cache
def _shipped() -> dict[str, Array]:
    return read(SHIPPED / "model.bin")


def test_the_shipped_model_is_read_whole() -> None:
    weights = _shipped()
    layers = {name.split("/")[1] for name in weights if name.startswith("encoder/layer_")}
    assert layers == {"layer_0", "layer_1", "layer_2", "layer_3", "layer_norm"}
    table, projection = (weights[f"decoder/{part}/weight"] for part in ("embeddings", "projection"))
    assert table is projection  # stored once, under two names
    assert table.shape == (tk.VOCABULARY_SIZE, 128)
    assert weights["encoder/conv1/weight"].shape == (128, 80, 3)
    assert weights["decoder/position_encodings/encodings"].shape == (448, 128)
    assert all(np.isfinite(value).all() for value in weights.values())


def test_by_the_weights_that_were_read_a_sentence_is_as_likely_as_by_the_engine() -> None:
    engine = WhisperModel(str(SHIPPED), device="cpu", compute_type="int8", cpu_threads=1)
    text = sentences(1, seed=60, held_out=True)[0].text("en")
    clip = speech.speak(text, "en", speech.voices("en", held_out=True)[0])
    samples, _ = speech.join([clip], [0.2, 0.4])
    mel = pad_or_trim(engine.feature_extractor(samples))
    words = engine.hf_tokenizer.encode(f" {text}", add_special_tokens=False).ids
    opening = [tk.START, tk.LANGUAGE_TOKENS["en"], tk.TRANSCRIBE]
    (aligned,) = engine.model.align(engine.encode(mel), opening, [words], mel.shape[-1])
    by_engine = sum(math.log(p) for p in aligned.text_token_probs)
    by_hand = _by_hand(_shipped(), mel, [*opening, tk.NO_TIMESTAMPS], words)
    assert by_hand == pytest.approx(by_engine, abs=0.05)
    assert by_hand > -1.0  # and it knows the sentence


def _by_hand(weights: dict[str, Array], mel: Array, opening: list[int], words: list[int]) -> float:
    """The log probability of the words behind the opening."""
    memory = _encoded(weights, mel)
    line = [*opening, *words]
    x = weights["decoder/embeddings/weight"][line[:-1]]
    x = x + weights["decoder/position_encodings/encodings"][: len(x)]
    for number in range(2):
        name = f"decoder/layer_{number}"
        x = x + _attention(weights, f"{name}/self_attention", x, None, causal=True)
        x = x + _attention(weights, f"{name}/attention", x, memory)
        x = x + _feed(weights, f"{name}/ffn", x)
    scores = _norm(weights, "decoder/layer_norm", x) @ weights["decoder/projection/weight"].T
    scores -= scores.max(-1, keepdims=True)
    likely = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    first = len(opening) - 1
    return float(sum(likely[first + at, word] for at, word in enumerate(words)))


def _encoded(weights: dict[str, Array], mel: Array) -> Array:
    x = _gelu(_convolved(weights, "encoder/conv1", mel.astype(np.float32), 1))
    x = _gelu(_convolved(weights, "encoder/conv2", x, 2)).T
    x = x + weights["encoder/position_encodings/encodings"][: len(x)]
    for number in range(4):
        name = f"encoder/layer_{number}"
        x = x + _attention(weights, f"{name}/self_attention", x, None)
        x = x + _feed(weights, f"{name}/ffn", x)
    return _norm(weights, "encoder/layer_norm", x)


def _convolved(weights: dict[str, Array], name: str, x: Array, step: int) -> Array:
    kernel = weights[f"{name}/weight"]
    padded = np.pad(x, ((0, 0), (1, 1)))
    places = range(0, x.shape[1], step)
    seen = np.stack([padded[:, at : at + 3].ravel() for at in places], axis=1)
    return kernel.reshape(len(kernel), -1) @ seen + weights[f"{name}/bias"][:, None]


def _attention(
    weights: dict[str, Array], name: str, x: Array, memory: Array | None, *, causal: bool = False
) -> Array:
    x = _norm(weights, f"{name}/layer_norm", x)
    if memory is None:
        q, k, v = np.split(_linear(weights, f"{name}/linear_0", x), 3, axis=-1)
        last = f"{name}/linear_1"
    else:
        q = _linear(weights, f"{name}/linear_0", x)
        k, v = np.split(_linear(weights, f"{name}/linear_1", memory), 2, axis=-1)
        last = f"{name}/linear_2"
    q, k, v = (part.reshape(len(part), HEADS, -1).transpose(1, 0, 2) for part in (q, k, v))
    scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
    if causal:
        scores += np.triu(np.full(scores.shape[1:], -np.inf), 1)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = scores / scores.sum(-1, keepdims=True) @ v
    return _linear(weights, last, mixed.transpose(1, 0, 2).reshape(len(x), -1))


def _feed(weights: dict[str, Array], name: str, x: Array) -> Array:
    inner = _linear(weights, f"{name}/linear_0", _norm(weights, f"{name}/layer_norm", x))
    return _linear(weights, f"{name}/linear_1", _gelu(inner))


def _linear(weights: dict[str, Array], name: str, x: Array) -> Array:
    return x @ weights[f"{name}/weight"].T + weights[f"{name}/bias"]


def _norm(weights: dict[str, Array], name: str, x: Array) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return centred / spread * weights[f"{name}/gamma"] + weights[f"{name}/beta"]


_ERF = np.vectorize(math.erf, otypes=[np.float32])


def _gelu(x: Array) -> Array:
    return x * (1 + _ERF(x / math.sqrt(2))) / 2
