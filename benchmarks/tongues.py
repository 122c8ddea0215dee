"""What bundles bring to a translator: `python -m benchmarks.tongues`.

Sentences of the grammar in all its languages, each into the three others, go through the stage of
the worker with the same model and beam: a sentence a call, and in bundles as a claim grants them.
It fails if one is lost, out of order or otherwise translated than alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sacrebleu

from demo.grammar import LANGUAGES, Sentence, sentences
from services import settings
from services.model.chat import Usage
from services.model.messages import Earlier, Grant, Limits
from services.model.stages import Place, TranslateResult, TranslateSpec
from services.model.transcript import Body, Segment
from services.worker.bundle import Bundle
from services.worker.work import Work

GOAL = 5.0  # times as many sentences a second, by a model whose size makes batches worth having
A_CLAIM = 64  # short jobs


@dataclass(eq=False)
class Cell:
    """One sentence into one language, as the attempt of a job that keeps all in memory."""

    grant: Grant
    sentence: Sentence
    folder: Path = Path()
    fractions: list[float] = field(default_factory=list)

    @property
    def pair(self) -> tuple[str, str]:
        assert isinstance(self.grant.spec, TranslateSpec)
        return self.grant.spec.source_language, self.grant.spec.target_language

    def fetch(self, place: Place) -> Path:
        raise NotImplementedError

    def fetch_range(self, place: Place, start: int, end: int) -> bytes:
        raise NotImplementedError

    def keep_file(self, place: Place, path: Path) -> Body:
        raise NotImplementedError

    def read(self, body: Body, url: str | None) -> str:  # noqa: ARG002 - all is inline
        return body.inline or ""

    def keep(self, place: Place, text: str) -> Body:  # noqa: ARG002
        return Body(inline=text, size=len(text.encode()))

    def progress(
        self,
        fraction: float,
        *,
        segments: Sequence[Segment] = (),  # noqa: ARG002
        sentences: Sequence[Segment] = (),  # noqa: ARG002
        language: str | None = None,  # noqa: ARG002
    ) -> None:
        self.fractions.append(fraction)

    def used(self, usage: Usage) -> None:
        """Nothing is paid here."""

    def earlier(self, digest: str) -> Earlier:  # noqa: ARG002
        return Earlier()

    def remember(self, texts: Mapping[str, str]) -> None:
        """Nobody is to know it again."""

    def check(self) -> None:
        """Nobody cancels."""


def cells(count: int, model: str, beam_size: int | None) -> list[Cell]:
    """`count` sentences, their languages in turn, each into the others."""
    made = []
    for number, sentence in enumerate(sentences(count, seed=64, held_out=True)):
        source = LANGUAGES[number % len(LANGUAGES)]
        for target in LANGUAGES:
            if target != source:
                spec = _spec(sentence.text(source), source, target, model, beam_size)
                made.append(Cell(_grant(f"{number}/{target}", spec), sentence))
    return made


def _spec(text: str, source: str, target: str, model: str, beam_size: int | None) -> TranslateSpec:
    nowhere = Place(key="", url="")
    return TranslateSpec(
        model=model, source_language=source, target_language=target, text=text,
        beam_size=beam_size, output=nowhere, output_text=nowhere,
    )  # fmt: skip


def _grant(job: str, spec: TranslateSpec) -> Grant:
    limits = Limits(soft_s=1e6, hard_s=1e6, stuck_s=1e6)
    return Grant(job=job, task="", text_id="1", attempt=1, spec=spec, limits=limits)


@contextmanager
def _turn(_: Mapping[Work, float]) -> Iterator[None]:
    yield


def _recall(_: Mapping[Work, Sequence[str]]) -> dict[Work, Mapping[str, str]]:
    """Each way has to do all by itself."""
    return {}


def translated(all_of: Sequence[Cell], size: int) -> tuple[dict[str, str], float]:
    """The words by job in the order in which they came, and how many jobs a second were done."""
    from translator_worker.tasks import BUNDLES  # noqa: PLC0415 - settings first

    words: dict[str, str] = {}
    began = time.monotonic()
    for first in range(0, len(all_of), size):
        some: list[Work] = list(all_of[first : first + size])
        for outcomes in BUNDLES["translate"](Bundle(some, _turn, _recall)):
            for outcome in outcomes:
                if not isinstance(outcome.ended, TranslateResult):
                    raise SystemExit(f"{outcome.work.grant.job} failed: {outcome.ended}")
                words[outcome.work.grant.job] = outcome.ended.text.inline or ""
    return words, len(all_of) / (time.monotonic() - began)


def faults(all_of: Sequence[Cell], alone: Mapping[str, str], together: Mapping[str, str]) -> int:
    """How many are lost, out of order, or not the same."""
    order = [cell.grant.job for cell in all_of]
    wrong = [job for job, came in zip(order, together, strict=False) if job != came]
    lost = len(order) - len(together)
    other = [job for job in order if alone.get(job) != together.get(job)]
    print(f"\n{len(order)} cells: {lost} lost, {len(wrong)} out of order, {len(other)} otherwise")
    return lost + len(wrong) + len(other)


def show_quality(all_of: Sequence[Cell], words: Mapping[str, str]) -> None:
    by_pair: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for cell in all_of:
        by_pair[cell.pair].append(cell)
    print("\n| pair | sentences | chrF |\n| --- | --- | --- |")
    for (source, target), some in sorted(by_pair.items()):
        given = [words[cell.grant.job] for cell in some]
        meant = [cell.sentence.text(target) for cell in some]
        score = sacrebleu.corpus_chrf(given, [meant]).score
        print(f"| {source} → {target} | {len(some)} | {score:.2f} |")


def main() -> None:
    """Prints the table of both ways, and of the quality."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--model", default="nmt-demo", help="of the catalog")
    parser.add_argument("--beam", type=int, help="by default what the model's description says")
    parser.add_argument("--goal", type=float, default=0.0, help=f"of the ratio, such as {GOAL}")
    options = parser.parse_args()
    os.environ["FANSCRIBE_DEMO_MODELS"] = "true"
    settings.load.cache_clear()
    all_of = cells(options.sentences, options.model, options.beam)
    translated(all_of[:A_CLAIM], A_CLAIM)  # the model is loaded
    alone, slow = translated(all_of, 1)
    together, fast = translated(all_of, A_CLAIM)
    print("| way | sentences a second | ratio |\n| --- | --- | --- |")
    print(f"| a sentence a call | {slow:.1f} | 1.00 |")
    print(f"| in bundles of {A_CLAIM} | {fast:.1f} | {fast / slow:.2f} |")
    found = faults(all_of, alone, together)
    show_quality(all_of, together)
    sys.exit(1 if found or fast / slow < options.goal else 0)


if __name__ == "__main__":
    main()
