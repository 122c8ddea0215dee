"""How close translations are to references: chrF and BLEU, by sacrebleu, with their signatures."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from pydantic import Field

from services.client.submitting import BadArguments
from services.model.values import Stored

# How BLEU cuts words where there are no spaces; one that is not installed is cut by characters.
_CUT = {
    "zh": "zh", "zh-Hant": "zh", "yue": "zh", "ja": "ja-mecab", "ko": "ko-mecab",
    "th": "char", "lo": "char", "km": "char", "my": "char", "bo": "char",
}  # fmt: skip


class Translated(Stored):
    """One cell; without a text it failed, and `code` says why. `chrf` is of it alone."""

    name: str
    language: str
    source: str
    text: str | None = None
    reference: str
    chrf: float | None = None
    flags: dict[str, int] = Field(default_factory=dict)
    code: str = ""
    message: str = ""


class Closeness(Stored):
    """All cells of a language that were made of texts (T), or of what was heard (A)."""

    language: str
    source: str
    cells: int
    chrf: float | None = None
    chrf_signature: str = ""
    bleu: float | None = None
    bleu_signature: str = ""
    flagged: int = 0
    failed: int = 0


class Score(Stored):
    """A model on a whole folder; `chrf` and `bleu` are means of those of the languages."""

    model: str
    chrf: float | None
    bleu: float | None
    languages: list[Closeness]
    translated: list[Translated]

    @property
    def failed(self) -> list[Translated]:
        return [each for each in self.translated if each.text is None]


def of_model(model: str, cells: Sequence[Translated]) -> Score:
    """Raises BadArguments where sacrebleu is missing."""
    metrics = _metrics()
    judged = [
        each
        if each.text is None
        else each.model_copy(
            update={
                "chrf": round(metrics.CHRF().sentence_score(each.text, [each.reference]).score, 2)
            }
        )
        for each in cells
    ]
    kinds = dict.fromkeys((each.language, each.source) for each in judged)
    languages = [
        _of_language(metrics, *kind, [e for e in judged if (e.language, e.source) == kind])
        for kind in kinds
    ]
    chrf = [each.chrf for each in languages if each.chrf is not None]
    bleu = [each.bleu for each in languages if each.bleu is not None]
    return Score(
        model=model,
        chrf=round(fmean(chrf), 2) if chrf else None,
        bleu=round(fmean(bleu), 2) if bleu else None,
        languages=languages,
        translated=judged,
    )


def _of_language(
    metrics: Any, language: str, source: str, cells: Sequence[Translated]
) -> Closeness:
    made = [each for each in cells if each.text is not None]
    about = Closeness(
        language=language,
        source=source,
        cells=len(cells),
        flagged=sum(bool(each.flags) for each in made),
        failed=len(cells) - len(made),
    )
    if not made:
        return about
    texts, references = [each.text for each in made], [[each.reference for each in made]]
    chrf, bleu = metrics.CHRF(), _bleu(metrics, language)
    return about.model_copy(
        update={
            "chrf": round(chrf.corpus_score(texts, references).score, 2),
            "bleu": round(bleu.corpus_score(texts, references).score, 2),
            "chrf_signature": str(chrf.get_signature()),
            "bleu_signature": str(bleu.get_signature()),
        }
    )


def _bleu(metrics: Any, language: str) -> Any:
    try:
        return metrics.BLEU(tokenize=_CUT.get(language, "13a"))
    except RuntimeError:  # what cuts Japanese and Korean is an extra of sacrebleu
        return metrics.BLEU(tokenize="char")


def _metrics() -> Any:
    try:
        from sacrebleu import metrics  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise BadArguments("This takes sacrebleu: pip install 'fanscribe[evaluate]'.") from error
    return metrics
