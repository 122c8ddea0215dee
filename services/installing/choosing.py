"""Which files of a model are needed, and whether they are enough; pure."""

from __future__ import annotations

from collections.abc import Collection

from services.installing.errors import Unfit
from services.model_description import DESCRIPTION_FILE

# Exact names and nothing else: a name from outside never becomes a path here.
_MODEL = "model.bin"
_CONFIG = "config.json"
_TOKENIZER = "tokenizer.json"
_SPEECH_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_TEXT_VOCABULARIES = tuple(
    f"{side}_vocabulary.{form}"
    for side in ("shared", "source", "target")
    for form in ("json", "txt")
)
_PAIR = ("source.spm", "target.spm")
_TEXT_TOKENIZERS = ("sentencepiece.bpe.model", "spiece.model", "sentencepiece.model", _TOKENIZER)

_SPEECH = (_MODEL, _CONFIG, _TOKENIZER, *_SPEECH_VOCABULARIES, "preprocessor_config.json")
_TEXT = (
    *(_MODEL, _CONFIG, DESCRIPTION_FILE),
    *(*_TEXT_VOCABULARIES, *_PAIR, *_TEXT_TOKENIZERS),
)


def choose(names: Collection[str], what: str) -> list[str]:
    """The files to take of those that there are, the large one last.

    Raises Unfit where it could not be loaded, or would look for more in the network.
    """
    if _MODEL not in names:
        raise Unfit(
            f"{what} has no {_MODEL}, so it is not in CTranslate2's format. Take one that was "
            "converted (they are often called faster-whisper-… or …-ct2), or convert it: a "
            "translation model with fanscribe models convert, a speech model with "
            "ct2-transformers-converter, whose folder is brought by --from."
        )
    translates = is_translator(names)
    missing = _missing_of_text(names) if translates else _missing_of_speech(names)
    if missing:
        raise Unfit(
            f"{what} lacks {', '.join(missing)}: it could not be loaded without the network. Put "
            "what is missing, from the model that it was converted from, into a folder with the "
            "rest, and bring it by --from."
        )
    wanted = _TEXT if translates else _SPEECH
    return sorted((name for name in wanted if name in names), key=lambda name: name == _MODEL)


def is_translator(names: Collection[str]) -> bool:
    """Whether such files are a translation model's: it has a vocabulary for what it reads."""
    return any(name in names for name in _TEXT_VOCABULARIES)


def tokenizer_files(names: Collection[str]) -> list[str]:
    """Those that a translation model needs, of the model that it is converted from."""
    return [name for name in (*_PAIR, *_TEXT_TOKENIZERS) if name in names]


def _missing_of_speech(names: Collection[str]) -> list[str]:
    missing = [name for name in (_CONFIG, _TOKENIZER) if name not in names]
    if not any(name in names for name in _SPEECH_VOCABULARIES):
        missing.append(" or ".join(_SPEECH_VOCABULARIES))
    return missing


def _missing_of_text(names: Collection[str]) -> list[str]:
    missing = [] if _CONFIG in names else [_CONFIG]
    if not (
        all(name in names for name in _PAIR) or any(name in names for name in _TEXT_TOKENIZERS)
    ):
        missing.append(f"a tokenizer ({' and '.join(_PAIR)}, or {' or '.join(_TEXT_TOKENIZERS)})")
    return missing
