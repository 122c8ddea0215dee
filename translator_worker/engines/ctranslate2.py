"""Translation models of CTranslate2, each marked up as its family wants it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ctranslate2

from services.model.errors import FailureClass, JobFailed
from services.model.families import END, FAMILIES, Family, Markup, guessed
from services.model_description import ends_by_itself, read_description, read_vocabulary
from services.sentences import halves, within
from translator_worker.engines import Row, Translation, joined
from translator_worker.engines.pieces import open_pieces
from translator_worker.engines.suspicions import length_is_strange

_MOST_TOKENS = 200  # of a source sentence; models forget the end of longer ones without a sign
_LONGEST = 256  # tokens of a translation; one that loops is not waited for any longer
_BEAM = 4  # where the model's description names none
_MARGIN = 8  # positions kept free for the marks and the end
_RESPLITS = 3
_UNKNOWN = "<unk>"
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")  # a sentence has one line
_WRONG = frozenset({"truncated", "length_ratio"})  # what halves may mend
_BATCH_TOKENS = 1024  # padding included: rows are sorted by length before they are cut


class CTranslate2Engine:
    """A model folder: what CTranslate2 converted, its tokenizer, and a `fanscribe.json` that says
    more of it, if need be. Its family is the one named, else the one that the file says, else the
    one that its vocabulary shows.
    """

    def __init__(
        self, folder: Path, *, device: str, compute_type: str, family: str | None = None
    ) -> None:
        about = read_description(folder)
        vocabulary = read_vocabulary(folder)
        kind = _family(folder, family or about.family, vocabulary)
        self._markup = Markup(kind, vocabulary, about.tokens)
        positions = (about.positions or kind.positions) - _MARGIN
        self._longest = min(_LONGEST, positions)
        self._budget = min(_MOST_TOKENS, about.max_source_tokens or _MOST_TOKENS, positions)
        self._beam = about.beam_size or _BEAM
        self._pieces = open_pieces(folder, about.tokenizer_file)
        self._end = [] if ends_by_itself(folder) else [END]
        self._model: Any = ctranslate2.Translator(
            str(folder), device=device, compute_type=compute_type, inter_threads=1
        )

    def translate(self, rows: Sequence[Row], *, beam_size: int | None) -> list[Translation]:
        parts = [self._parts(row) for row in rows]
        flat = [piece for pieces in parts for piece in pieces]
        done = iter(self._run(flat, beam_size=beam_size or self._beam, resplits=_RESPLITS))
        return [
            joined([next(done) for _ in pieces], row.target)
            for row, pieces in zip(rows, parts, strict=True)
        ]

    def _parts(self, row: Row) -> list[Row]:
        """The row in pieces that the model can take; none of a blank one."""
        if not row.text.strip():
            return []
        return [replace(row, text=piece) for piece in within(row.text, self._fits)]

    def _fits(self, text: str) -> bool:
        return len(self._cut(text)) <= self._budget

    def _cut(self, text: str) -> list[str]:
        """What looks like a mark in somebody's text is spelled, and steers nothing."""
        pieces: list[str] = []
        for piece in self._pieces.cut(text):
            marks = piece != _UNKNOWN and self._markup.is_mark(piece)
            pieces += piece if marks else [piece]
        return pieces

    def _run(self, rows: Sequence[Row], *, beam_size: int, resplits: int) -> list[Translation]:
        """One batch; what looks wrong in it is made anew from halves, all of that at once."""
        if not rows:
            return []
        marks = [self._markup.of(row.source, row.target) for row in rows]
        cut = [self._cut(row.text) for row in rows]
        results = self._model.translate_batch(
            [[*mark.before, *pieces, *self._end] for mark, pieces in zip(marks, cut, strict=True)],
            target_prefix=[mark.begins for mark in marks],
            beam_size=beam_size,
            max_decoding_length=self._longest,
            max_batch_size=_BATCH_TOKENS,
            batch_type="tokens",
            return_end_token=True,
            disable_unk=True,
        )
        answers = [
            self._read(result.hypotheses[0], row, pieces)
            for result, row, pieces in zip(results, rows, cut, strict=True)
        ]
        if resplits:
            self._mend(rows, answers, beam_size=beam_size, resplits=resplits - 1)
        return answers

    def _mend(
        self, rows: Sequence[Row], answers: list[Translation], *, beam_size: int, resplits: int
    ) -> None:
        wrong = [number for number, answer in enumerate(answers) if _WRONG & set(answer.flags)]
        cut = {number: parts for number in wrong if (parts := halves(rows[number].text))}
        again = [replace(rows[n], text=part) for n, parts in cut.items() for part in parts]
        made = iter(self._run(again, beam_size=beam_size, resplits=resplits))
        for number, parts in cut.items():
            anew = joined([next(made) for _ in parts], rows[number].target)
            answers[number] = _better(rows[number], answers[number], anew)

    def _read(self, hypothesis: list[str], row: Row, read: Sequence[str]) -> Translation:
        words = [piece for piece in hypothesis if not self._markup.is_mark(piece)]
        text = _BREAKS.sub(" ", self._pieces.join(words)).strip()
        flags = [] if hypothesis[-1:] == [END] else ["truncated"]
        if length_is_strange(row.text, text):
            flags.append("length_ratio")
        if not all(self._markup.knows(piece) for piece in read):
            flags.append("unknown_characters")
        return Translation(text, flags)


def _better(row: Row, whole: Translation, halved: Translation) -> Translation:
    """The one without a fault, else the one that lost less; judged by all of its text, as halves
    may be too short to look strange."""
    if length_is_strange(row.text, halved.text) and "length_ratio" not in halved.flags:
        halved = replace(halved, flags=[*halved.flags, "length_ratio"])
    lost = not whole.text or "truncated" in whole.flags
    return halved if lost or not _WRONG & set(halved.flags) else whole


def _family(folder: Path, named: str | None, vocabulary: Sequence[str]) -> Family:
    """Raises JobFailed `family_not_supported`."""
    name = named or guessed(vocabulary)
    if name is None and (folder / "source.spm").is_file():
        name = "marian"
    if name is None or name not in FAMILIES:
        what = f"of the family {name!r}" if name else "of no family that its vocabulary shows"
        raise JobFailed(
            FailureClass.PERMANENT,
            "family_not_supported",
            f"{folder.name} is {what}; what runs is {', '.join(FAMILIES)}. Name the right one in "
            "the catalog file, as `family`.",
        )
    return FAMILIES[name]
