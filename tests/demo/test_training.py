"""Training on from the shipped weights; needs torch: `pip install -e '.[train]'`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from faster_whisper import WhisperModel

from demo.grammar import sentences
from demo.train import tokens as tk
from demo.train.clips import Pool
from demo.train.ct2_weights import read
from demo.train.scribe import Labels
from demo.train.tokens import SHIPPED, Vocabulary, load_vocabulary

torch = pytest.importorskip("torch")

from demo.train.export_whisper import draw_back, write_model  # noqa: E402  they need torch
from demo.train.learning import Run  # noqa: E402
from demo.train.restore_whisper import compare, restore, whole  # noqa: E402
from demo.train.train_nmt import Translator, one_step  # noqa: E402
from demo.train.train_nmt import optimizers as translator_optimizers  # noqa: E402
from demo.train.train_whisper import (  # noqa: E402
    CHECKPOINT,
    lesson_of,
    opened,
    rates_of,
    train,
)
from demo.train.whisper_net import WhisperNet  # noqa: E402

DEVICE = torch.device("cpu")


def _options(out: Path, steps: int) -> argparse.Namespace:
    return argparse.Namespace(
        out=out, start=SHIPPED, steps=steps, rate=None, audio=24, seed=1, device="cpu"
    )


def test_the_restored_network_says_what_the_shipped_model_says() -> None:
    _, shipped, restored = compare(SHIPPED)
    assert restored == pytest.approx(shipped, abs=0.05)


def test_tokens_that_are_opened_begin_among_the_words_and_each_by_itself() -> None:
    fresh = load_vocabulary(SHIPPED, drawn=1).encode(" Zus zebra quartz")
    net = whole(SHIPPED, [*_words_of_the_grammar(), *fresh])
    known, new = net.decoder.words[: -len(fresh)], net.decoder.words[-len(fresh) :]
    assert not any(torch.equal(row, net.decoder.unused) for row in net.decoder.words)
    lengths = known.norm(dim=1)
    assert all(lengths.min() / 2 < row.norm() < lengths.max() * 2 for row in new)
    assert len({tuple(row.tolist()) for row in new}) == len(fresh)


def _words_of_the_grammar() -> list[int]:
    vocabulary = load_vocabulary(SHIPPED, drawn=1)
    texts = [each.text("en") for each in sentences(50, seed=3, held_out=False)]
    return sorted({token for text in texts for token in vocabulary.text_tokens(text, "en")})


def test_the_times_are_restored_as_a_map_that_half_the_precision_can_hold() -> None:
    net = whole(SHIPPED, [tk.END])
    rows = read(SHIPPED / "model.bin")["decoder/embeddings/weight"]
    times = torch.from_numpy(rows[tk.FIRST_TIME : tk.FIRST_TIME + tk.TIMES])
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = net.decoder.embedding()[1:-1]
    assert net.decoder.time_map.weight.abs().max() < 1
    assert (found.float() - times).abs().max() < 0.01 * times.abs().max()


def test_what_is_exported_is_restored(tmp_path: Path, shipped_vocabulary: Vocabulary) -> None:
    torch.manual_seed(3)
    used = shipped_vocabulary.used
    run = Run.begun(used, Labels([]), Labels([]), DEVICE)
    vocabulary = json.loads((SHIPPED / "vocabulary.json").read_text("utf-8"))
    write_model(run.net, used, tmp_path, vocabulary)
    again = Run.begun(used, Labels([]), Labels([]), DEVICE)
    restore(again.net, tmp_path, used)
    ours, theirs = _shipped_parts(run.net), _shipped_parts(again.net)
    for name, parameter in ours.items():
        off = (theirs[name] - parameter).abs().max()
        assert off <= parameter.abs().max() / 100, name
    for name in ("tokenizer.json", "preprocessor_config.json"):
        (tmp_path / name).write_bytes((SHIPPED / name).read_bytes())
    model = WhisperModel(str(tmp_path), device="cpu", compute_type="int8", cpu_threads=1)
    list(model.transcribe(np.zeros(16000, np.float32), hotwords="Tagivo", temperature=0)[0])


def _shipped_parts(net: WhisperNet) -> dict[str, torch.Tensor]:
    """What a model's directory holds: of the times what their map gives, not which one it is."""
    aside = ("time_map", "word_head", "phoneme_head")
    parts = {n: p for n, p in net.named_parameters() if not any(part in n for part in aside)}
    return {**parts, "rows": net.decoder.embedding()}


def test_what_was_learnt_can_be_drawn_back_towards_where_it_began() -> None:
    used = _words_of_the_grammar()
    begun, learnt = whole(SHIPPED, used), whole(SHIPPED, used)
    with torch.no_grad():
        for weight in learnt.parameters():
            weight.add_(1.0)
    draw_back(learnt, SHIPPED, used, 0.25)
    for (name, weight), first in zip(learnt.named_parameters(), begun.parameters(), strict=True):
        if "_head." not in name:
            torch.testing.assert_close(weight, first + 0.25)


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(
    tmp_path: Path, shipped_vocabulary: Vocabulary, spoken_pool: Pool
) -> None:
    torch.set_num_threads(1)
    folders = [tmp_path / name for name in ("whole", "broken")]
    for folder in folders:
        folder.mkdir()
    at_once, broken = (_options(folder, 2) for folder in folders)
    run = opened(spoken_pool, shipped_vocabulary, at_once)
    lines = list(train(run, lesson_of(run, spoken_pool, shipped_vocabulary), at_once))
    assert lines[0].startswith("0 gauge plain en 0.0")  # the shipped model knows its sentences
    assert lines[-1].startswith("2 gauge ")

    first = opened(spoken_pool, shipped_vocabulary, broken)
    lesson_of(first, spoken_pool, shipped_vocabulary).take(first, broken)
    first.save(broken.out / CHECKPOINT)
    second = opened(spoken_pool, shipped_vocabulary, broken)
    assert second.step == 1
    list(train(second, lesson_of(second, spoken_pool, shipped_vocabulary), broken))
    for one, other in zip(run.net.parameters(), second.net.parameters(), strict=True):
        assert torch.equal(one, other)
    assert Run.load(broken.out / CHECKPOINT, DEVICE).step == 2


def test_a_checkpoint_of_another_grammar_is_refused(
    tmp_path: Path, shipped_vocabulary: Vocabulary, spoken_pool: Pool
) -> None:
    fewer = shipped_vocabulary.used[1:]
    Run.begun(fewer, Labels([]), Labels([]), DEVICE).save(tmp_path / CHECKPOINT)
    with pytest.raises(SystemExit, match="another grammar"):
        opened(spoken_pool, shipped_vocabulary, _options(tmp_path, 1))


def test_the_rate_rises_from_nothing_and_ends_at_nothing(tmp_path: Path) -> None:
    options = _options(tmp_path, 2000)
    rates = [rates_of(step, options)[0] for step in range(2001)]
    assert rates[0] < max(rates) / 100
    assert rates[2000] == 0
    assert rates[1000] == max(rates)
    assert rates_of(0, options)[1] == max(rates)  # the heads begin anew


def test_a_translator_learns_a_batch_by_heart() -> None:
    torch.manual_seed(4)
    net = Translator(20, width=32)
    steppers = translator_optimizers(net)
    pair = torch.randint(3, 20, (8, 6)), torch.randint(3, 20, (8, 7))
    lost = [one_step(net, steppers, pair, 0.01) for _ in range(40)]
    assert lost[-1] < lost[0] / 2
