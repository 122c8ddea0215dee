"""Translation models of CTranslate2 that say with a token which language is wanted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ctranslate2
import sentencepiece

from services.model.errors import FailureClass, JobFailed
from translator_worker.engines import Row, Translation, joined
from translator_worker.engines.suspicions import length_is_strange
from translator_worker.sentences import halves, within

_END = "</s>"
_MOST_TOKENS = 200  # of a source sentence; models forget the end of longer ones without a sign
_BEAM = 4  # where the model's description names none
_MARGIN = 8  # positions kept free for the language token and the end
_RESPLITS = 3


class CTranslate2Engine:
    """A model folder with a `fanscribe.json` that names its family.

    The one family so far is `demo`, marked up as M2M100 is: the source begins with its own
    language, the target with the wanted one. The file may name `tokenizer_file`, and how long a
    source (`max_source_tokens`) and a translation (`positions`) can get, in tokens.
    """

    def __init__(self, folder: Path, *, device: str, compute_type: str) -> None:
        about = _about(folder)
        family = about.get("family")
        if family != "demo":
            raise JobFailed(
                FailureClass.PERMANENT,
                "family_not_supported",
                f"{folder.name} is of the family {family!r}; only 'demo' models run so far.",
            )
        self._longest = int(about.get("positions", 256)) - _MARGIN
        most = int(about.get("max_source_tokens", _MOST_TOKENS))
        self._budget = min(_MOST_TOKENS, most, self._longest)
        self._beam = int(about.get("beam_size", _BEAM))
        vocabulary = folder / about.get("tokenizer_file", "sentencepiece.model")
        self._pieces: Any = sentencepiece.SentencePieceProcessor(model_file=str(vocabulary))
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
        return len(self._tokens(text)) <= self._budget

    def _tokens(self, text: str) -> list[str]:
        tokens: list[str] = self._pieces.encode(text, out_type=str)
        return tokens

    def _run(self, rows: Sequence[Row], *, beam_size: int, resplits: int) -> list[Translation]:
        """One batch. A translation that did not come to its end is made anew from halves."""
        if not rows:
            return []
        results = self._model.translate_batch(
            [[f"__{row.source}__", *self._tokens(row.text), _END] for row in rows],
            target_prefix=[[f"__{row.target}__"] for row in rows],
            beam_size=beam_size,
            max_decoding_length=self._longest,
            max_batch_size=32,
            return_end_token=True,
        )
        answers = []
        for row, result in zip(rows, results, strict=True):
            hypothesis: list[str] = result.hypotheses[0]
            parts = None if hypothesis[-1:] == [_END] or not resplits else halves(row.text)
            if parts:
                again = [replace(row, text=part) for part in parts]
                made = self._run(again, beam_size=beam_size, resplits=resplits - 1)
                answers.append(joined(made, row.target))
            else:
                answers.append(self._read(hypothesis, row.text))
        return answers

    def _read(self, hypothesis: list[str], source: str) -> Translation:
        ended = hypothesis[-1:] == [_END]
        words = [piece for piece in hypothesis[1:] if piece != _END]
        text = str(self._pieces.decode(words)).strip()
        flags = [] if ended else ["truncated"]
        if length_is_strange(source, text):
            flags.append("length_ratio")
        return Translation(text, flags)


def _about(folder: Path) -> dict[str, Any]:
    """What the model says of itself; nothing if it says nothing."""
    path = folder / "fanscribe.json"
    if not path.is_file():
        return {}
    about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return about
