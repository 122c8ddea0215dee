"""`fanscribe evaluate` as somebody runs it who chooses a model: through a running stack."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sacrebleu

from demo.grammar import sentences
from tests.system.conftest import PATIENCE_S, Stack, clean_environment

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "demo" / "sample"
PAGE = ROOT / "docs" / "evaluate.md"


def test_the_demo_model_is_measured_on_the_speech_of_the_demo(
    demo_stack: Stack, tmp_path: Path
) -> None:
    out = tmp_path / "scores.json"
    words = ["evaluate", str(SAMPLE), "--models", "whisper-demo", "--requests", "2"]

    shown = demo_stack.run(*words, "--out", str(out)).splitlines()

    (score,) = json.loads(out.read_text("utf-8"))["models"]
    assert (score["model"], score["files"], score["failed"]) == ("whisper-demo", 5, [])
    assert 100 < score["audio_seconds"] < 130
    assert score["wer"] <= 0.03, "the demo model hears its own grammar"
    assert score["words"]["length"] > 300
    assert score["latency"]["requests"] == 2
    assert 0 < score["latency"]["p50_s"] <= score["latency"]["p95_s"]
    assert (
        0 < score["real_time_factor"] == round(score["engine_seconds"] / score["audio_seconds"], 4)
    )
    assert {each["language"] for each in score["heard"]} == {"en", "zh"}
    assert shown[0].split() in table_on_the_page()
    assert shown[1].split()[:3] == ["whisper-demo", "5", f"{score['audio_seconds']:.1f}"]
    assert demo_stack.json("list") == [], "its tasks are gone"


def test_translations_of_the_demo_model_are_held_against_what_the_grammar_says(
    demo_stack: Stack, tmp_path: Path
) -> None:
    known = sentences(20, seed=21, held_out=True)
    for language in ("en", "zh", "ja"):
        lines = "".join(f"{each.text(language)}\n" for each in known)
        (tmp_path / f"{language}.txt").write_text(lines, "utf-8")
    out = tmp_path / "scores.json"
    words = ["evaluate", str(tmp_path), "--language", "en", "--to", "zh,ja"]

    shown = demo_stack.run(*words, "--models", "nmt-demo", "--out", str(out), "--cells")

    (score,) = json.loads(out.read_text("utf-8"))["models"]
    for told in score["languages"]:
        cells = [each for each in score["translated"] if each["language"] == told["language"]]
        assert [each["reference"] for each in cells] == [e.text(told["language"]) for e in known]
        texts, references = [e["text"] for e in cells], [[e["reference"] for e in cells]]
        assert told["chrf"] == round(sacrebleu.corpus_chrf(texts, references).score, 2) > 90
        assert (told["cells"], told["flagged"], told["failed"]) == (20, 0, 0)
    assert [each["language"] for each in score["languages"]] == ["zh", "ja"]
    lines = shown.splitlines()
    assert lines[0].split() in table_on_the_page()
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["nmt-demo", "zh"], ["nmt-demo", "ja"], ["nmt-demo", "all"]
    ]  # fmt: skip
    assert sum("  ≠  " in line for line in lines) == 40
    assert demo_stack.json("list") == [], "its tasks are gone"


def table_on_the_page() -> list[list[str]]:
    return [line.split() for line in PAGE.read_text("utf-8").splitlines()]


@pytest.fixture
def a_corpus(tmp_path: Path, spoken: Callable[[str], Path]) -> Path:
    """Speech and its words; the stub engine hears words of its own."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("1", "2"):
        (folder / f"{name}.wav").write_bytes(spoken(name).read_bytes())
        (folder / f"{name}.txt").write_text("Somebody said something.", "utf-8")
    return folder


def test_two_models_are_measured_one_after_the_other_and_tasks_can_be_kept(
    stub_stack: Callable[..., Stack], a_corpus: Path
) -> None:
    stack = stub_stack()
    model = "stub-whisper"
    words = ["--models", f"{model},{model}", "--language", "en", "--requests", "0", "--keep"]

    told = stack.json("evaluate", str(a_corpus), *words)

    assert [score["model"] for score in told["models"]] == [model, model]
    assert told["models"][0]["latency"] is None
    assert told["models"][0]["wer"] == told["models"][1]["wer"] > 0
    assert len(stack.json("list")) == 2


def test_a_file_that_fails_is_named_and_so_says_the_exit_code(
    stub_stack: Callable[..., Stack], a_corpus: Path
) -> None:
    (a_corpus / "3.mp3").write_bytes(b"no sound at all")
    (a_corpus / "3.txt").write_text("Nothing.", "utf-8")
    (a_corpus / "4.mp3").write_bytes(b"no words")
    stack = stub_stack()

    printed = stack.run("evaluate", str(a_corpus), "--language", "en", "--requests", "1", status=1)

    assert re.search(r"^✗ \S+: 3\.mp3: .+ \(bad_media\)$", printed, re.MULTILINE)
    told = stack.json("evaluate", str(a_corpus), "--language", "en", "--requests", "0", status=1)
    (score,) = told["models"]
    assert (score["files"], len(score["heard"]), told["left_out"]) == (3, 2, ["4.mp3"])


def test_what_cannot_be_measured_is_a_wrong_use(
    stub_stack: Callable[..., Stack], a_corpus: Path
) -> None:
    url = stub_stack().url

    def refused(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", "evaluate", *words],
            env=clean_environment(FANSCRIBE_URL=url),
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert done.returncode == 2, done.stderr
        return done.stderr

    assert "--language" in refused(str(a_corpus))
    assert "'none'" in refused(str(a_corpus), "--language", "en", "--models", "none")
