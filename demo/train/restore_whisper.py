"""Bring the shipped int8 weights back into the network that was trained, to train it on.

``python -m demo.train.restore_whisper`` restores `demo/models/whisper-demo` and says how far its
numbers for one spoken sentence are from those of the shipped model.

Only what the export had merged has to be taken apart: the fused projections, the times, which are a
linear map of sinusoids, and the tokens out of use, which share a row. The two heads that only
training needs are not in the weights and begin anew.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from numpy.typing import NDArray
from torch import Tensor, nn

from demo import speech
from demo.grammar import sentences
from demo.train import tokens as tk
from demo.train.ct2_weights import read
from demo.train.tokens import SHIPPED
from demo.train.whisper_net import TIME_MAP_BEGINS, Layer, Shape, WhisperNet

Weights = dict[str, NDArray[np.float32]]


def restore(net: WhisperNet, model: Path, used: list[int]) -> None:
    """Fill encoder and decoder from the directory of a CTranslate2 model; `used` are the tokens
    that have rows of their own. One that had none begins like any word."""
    weights = read(model / "model.bin")
    with torch.no_grad():
        for number, conv in ((1, net.encoder.conv1), (2, net.encoder.conv2)):
            _fill(conv.weight, weights[f"encoder/conv{number}/weight"])
            assert conv.bias is not None
            _fill(conv.bias, weights[f"encoder/conv{number}/bias"])
        for side, part in (("encoder", net.encoder), ("decoder", net.decoder)):
            for number, layer in enumerate(part.layers):
                assert isinstance(layer, Layer)
                _fill_layer(layer, weights, f"{side}/layer_{number}")
            _fill_norm(part.layer_norm, weights, f"{side}/layer_norm")
        _fill(net.decoder.embed_positions, weights["decoder/position_encodings/encodings"])
        _fill_tokens(net, weights["decoder/embeddings/weight"], used)


def _fill_tokens(net: WhisperNet, rows: NDArray[np.float32], used: list[int]) -> None:
    unused = rows[0 if 0 not in used else tk.FIRST_TIME - 8]
    _fill(net.decoder.words, _rows_of(rows[used], unused))
    _fill(net.decoder.unused, unused)
    times = rows[tk.FIRST_TIME : tk.FIRST_TIME + tk.TIMES].astype(np.float64)
    weight, bias = _time_map(times, net.decoder.times.cpu().numpy().astype(np.float64))
    _fill(net.decoder.time_map.weight, weight)
    _fill(net.decoder.time_map.bias, bias)


def _rows_of(rows: NDArray[np.float32], unused: NDArray[np.float32]) -> NDArray[np.float32]:
    """Tokens that are new begin about the middle of those in use, each elsewhere: the row that they
    had is so far out that it says no to everything, and the same for all of them."""
    new = (rows == unused).all(axis=1)
    known = rows[~new]
    source = np.random.default_rng(0)
    drawn = source.normal(known.mean(axis=0), known.std(axis=0), (int(new.sum()), rows.shape[1]))
    begun = rows.copy()
    begun[new] = drawn
    return begun


def _time_map(
    times: NDArray[np.float64], waves: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The linear map that gives these rows. The slow waves are so alike that many do; of these it
    is the one near where training began, since with huge numbers nothing could go on from there."""
    width = waves.shape[1]
    known = np.concatenate([waves, np.ones((len(waves), 1))], axis=1)
    begun = np.concatenate([TIME_MAP_BEGINS * np.eye(width), np.zeros((1, width))])
    pull = 0.1 * np.eye(width + 1)
    moved = np.linalg.solve(known.T @ known + pull, known.T @ (times - known @ begun))
    found = begun + moved
    return found[:-1].T, found[-1]


def _fill_layer(layer: Layer, weights: Weights, name: str) -> None:
    own, fused = layer.self_attn, f"{name}/self_attention"
    _fill_norm(layer.self_attn_layer_norm, weights, f"{fused}/layer_norm")
    _fill_linear(weights, f"{fused}/linear_0", own.q_proj, own.k_proj, own.v_proj)
    _fill_linear(weights, f"{fused}/linear_1", own.out_proj)
    if layer.cross:
        seen, fused = layer.encoder_attn, f"{name}/attention"
        _fill_norm(layer.encoder_attn_layer_norm, weights, f"{fused}/layer_norm")
        _fill_linear(weights, f"{fused}/linear_0", seen.q_proj)
        _fill_linear(weights, f"{fused}/linear_1", seen.k_proj, seen.v_proj)
        _fill_linear(weights, f"{fused}/linear_2", seen.out_proj)
    _fill_norm(layer.final_layer_norm, weights, f"{name}/ffn/layer_norm")
    _fill_linear(weights, f"{name}/ffn/linear_0", layer.fc1)
    _fill_linear(weights, f"{name}/ffn/linear_1", layer.fc2)


def _fill_linear(weights: Weights, name: str, *layers: nn.Linear) -> None:
    """One or more linear layers that were fused into one."""
    rows = np.split(weights[f"{name}/weight"], len(layers))
    shifts = np.split(weights[f"{name}/bias"], len(layers))
    for layer, weight, bias in zip(layers, rows, shifts, strict=True):
        _fill(layer.weight, weight)
        if layer.bias is not None:
            _fill(layer.bias, bias)


def _fill_norm(norm: nn.LayerNorm, weights: Weights, name: str) -> None:
    _fill(norm.weight, weights[f"{name}/gamma"])
    _fill(norm.bias, weights[f"{name}/beta"])


def _fill(parameter: Tensor, values: NDArray[np.floating]) -> None:
    parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)).float())


def words_of(net: WhisperNet, compact: dict[int, int], mel: Tensor, line: list[int]) -> Tensor:
    """The log probability of each token of a line behind the three that open it."""
    ids = torch.tensor([[compact[token] for token in line]])
    memory, _ = net.encoder(mel, torch.zeros(1, dtype=torch.long))
    logits, *_ = net.decoder(ids[:, :-1], memory)
    return logits.log_softmax(-1)[0, torch.arange(len(line) - 1), ids[0, 1:]]


def compare(model: Path) -> tuple[str, float, float]:
    """A sentence, and its log probability by the shipped model and by the restored network."""
    shipped = WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=1)
    text = sentences(1, seed=60, held_out=True)[0].text("en")
    voice = speech.voices("en", held_out=True)[0]
    samples, _ = speech.join([speech.speak(text, "en", voice)], [0.2, 0.4])
    mel = pad_or_trim(shipped.feature_extractor(samples))
    words = shipped.hf_tokenizer.encode(f" {text}", add_special_tokens=False).ids
    opening = [tk.START, tk.LANGUAGE_TOKENS["en"], tk.TRANSCRIBE]
    (aligned,) = shipped.model.align(shipped.encode(mel), opening, [words], mel.shape[-1])
    by_engine = sum(math.log(p) for p in aligned.text_token_probs)
    special = [tk.END, tk.START, *tk.LANGUAGE_TOKENS.values(), tk.TRANSCRIBE, tk.NO_SPEECH]
    used = [*sorted(set(words)), *special, tk.NO_TIMESTAMPS]
    net = whole(model, used)
    compact = {token: index for index, token in enumerate(used)}
    line = [*opening, tk.NO_TIMESTAMPS, *words]
    with torch.no_grad():
        found = words_of(net, compact, torch.from_numpy(mel)[None].float(), line)
    return text, by_engine, float(found[-len(words) :].sum())


def whole(model: Path, used: list[int]) -> WhisperNet:
    """The restored network, with heads that know no word and no phoneme."""
    net = WhisperNet(Shape(), used=len(used), words=1, phonemes=1)
    restore(net, model, used)
    return net.eval()


def main() -> None:
    """Say how far the restored network is from the shipped model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=SHIPPED)
    text, shipped, restored = compare(parser.parse_args().model)
    print(text)
    print(f"log probability: shipped {shipped:.4f}, restored {restored:.4f}")


if __name__ == "__main__":
    main()
