"""A Whisper of the true architecture, tiny and untrained: it babbles, and is real all the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordLevel

HEADS, WINDOW = 2, 1500
WORDS = 200
LANGUAGES = ("en", "zh", "de")
TIMES = 1501


def _tokens(*, english_only: bool) -> list[str]:
    """In Whisper's order; the empty one makes CTranslate2 see a multilingual model."""
    names = ["endoftext", "startoftranscript", *LANGUAGES, "translate", "transcribe"]
    names += ["startoflm", "startofprev", "nospeech", "notimestamps"]
    names += [f"{index * 0.02:.2f}" for index in range(TIMES)]
    first = [] if english_only else [""]
    return [*first, *(f"word{index}" for index in range(WORDS)), *(f"<|{name}|>" for name in names)]


def write(
    folder: Path,
    seed: int = 5,
    *,
    english_only: bool = False,
    width: int = 32,
    layers: int = 1,
    endless: bool = False,
) -> Path:
    """`endless`: a window's text goes on until there is no room left."""
    folder.mkdir(parents=True)
    tokens = _tokens(english_only=english_only)
    number = {token: index for index, token in enumerate(tokens)}
    spec = ctranslate2.specs.WhisperSpec(1, HEADS, layers, HEADS)
    _fill(spec, np.random.default_rng(seed), len(tokens), width)
    if endless:
        spec.decoder.layer_norm.beta[0] = 1.0
        spec.decoder.embeddings.weight[number["<|endoftext|>"], 0] = -1e3
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [number["<|endoftext|>"]]
    spec.config.lang_ids = [number[f"<|{language}|>"] for language in LANGUAGES]
    spec.config.alignment_heads = [[0, 0], [0, 1]]
    spec.register_vocabulary(tokens)
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    _write_tokenizer(folder, number)
    features = {"feature_size": 80, "hop_length": 160, "n_fft": 400, "chunk_length": 30}
    preprocessor = json.dumps({**features, "sampling_rate": 16_000})
    (folder / "preprocessor_config.json").write_text(preprocessor)
    return folder


def _write_tokenizer(folder: Path, number: dict[str, int]) -> None:
    tokenizer = Tokenizer(WordLevel(number, unk_token="word0"))
    special = [token for token in number if token.startswith("<|")]
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    tokenizer.save(str(folder / "tokenizer.json"))


def _fill(spec: Any, chance: np.random.Generator, vocabulary: int, wide: int) -> None:
    def some(*shape: int) -> np.ndarray:
        return chance.normal(0, 0.3, shape).astype(np.float32)

    def linear(layer: Any, out: int, width: int = wide) -> None:
        layer.weight, layer.bias = some(out, width), some(out)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(wide, np.float32), np.zeros(wide, np.float32)

    spec.encoder.conv1.weight, spec.encoder.conv1.bias = some(wide, 80, 3), some(wide)
    spec.encoder.conv2.weight, spec.encoder.conv2.bias = some(wide, wide, 3), some(wide)
    spec.encoder.position_encodings.encodings = some(WINDOW, wide)
    spec.decoder.position_encodings.encodings = some(448, wide)
    words = some(vocabulary, wide)
    spec.decoder.embeddings.weight = spec.decoder.projection.weight = words
    norm(spec.encoder.layer_norm)
    norm(spec.decoder.layer_norm)
    for layer in [*spec.encoder.layer, *spec.decoder.layer]:
        norm(layer.self_attention.layer_norm)
        linear(layer.self_attention.linear[0], 3 * wide)
        linear(layer.self_attention.linear[1], wide)
        norm(layer.ffn.layer_norm)
        linear(layer.ffn.linear_0, 4 * wide)
        linear(layer.ffn.linear_1, wide, 4 * wide)
    for layer in spec.decoder.layer:
        norm(layer.attention.layer_norm)
        linear(layer.attention.linear[0], wide)
        linear(layer.attention.linear[1], 2 * wide)
        linear(layer.attention.linear[2], wide)
