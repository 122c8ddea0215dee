"""Cuts a text into the pieces that a model reads, and makes a text of the pieces it writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import sentencepiece
from tokenizers import Tokenizer

from services.model.errors import FailureClass, JobFailed

_SPACE = "▁"
_PAIR = ("source.spm", "target.spm")  # of Marian: one for each side
_ONE = ("sentencepiece.bpe.model", "spiece.model", "sentencepiece.model", "tokenizer.json")


class Pieces(Protocol):
    """What is cut and joined again is the same text, but for what the tokenizer makes equal."""

    def cut(self, text: str) -> list[str]: ...

    def join(self, pieces: Sequence[str]) -> str: ...


class SentencePieces:
    """By SentencePiece: one model for both sides, or one for each."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source: Any = sentencepiece.SentencePieceProcessor(model_file=str(source))
        self._target: Any = (
            self._source
            if target == source
            else sentencepiece.SentencePieceProcessor(model_file=str(target))
        )

    def cut(self, text: str) -> list[str]:
        pieces: list[str] = self._source.encode(text, out_type=str)
        return pieces

    def join(self, pieces: Sequence[str]) -> str:
        """A piece that only the other side has comes back as it is."""
        return str(self._target.decode(list(pieces))).replace(_SPACE, " ").strip()


class TokenizerPieces:
    """By a `tokenizer.json`, with which most models are published today."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True  # a text that holds `</s>` has no end there

    def cut(self, text: str) -> list[str]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).tokens)

    def join(self, pieces: Sequence[str]) -> str:
        numbers = [self._tokenizer.token_to_id(piece) for piece in pieces]
        known = [number for number in numbers if number is not None]
        return str(self._tokenizer.decode(known, skip_special_tokens=True)).strip()


def open_pieces(folder: Path, named: str) -> Pieces:
    """Of the file that the model's description names, else of those that models have.

    Raises JobFailed `model_incomplete`, which another node may not share.
    """
    files = (named,) if named else _ONE
    if not named and all((folder / name).is_file() for name in _PAIR):
        return SentencePieces(folder / _PAIR[0], folder / _PAIR[1])
    for name in files:
        path = folder / name
        if path.is_file():
            return TokenizerPieces(path) if path.suffix == ".json" else SentencePieces(path, path)
    raise JobFailed(
        FailureClass.RESOURCE_EXHAUSTED,
        "model_incomplete",
        f"The model in {folder} has no tokenizer: it needs {' and '.join(_PAIR)}, or one of "
        f"{', '.join(files)}, from the model that it was converted from.",
    )
