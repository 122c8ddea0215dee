"""Which files of a model are needed, and whether they are enough; pure."""

from __future__ import annotations

from collections.abc import Collection

from services.installing.errors import Unfit

# Exact names and nothing else: a name from outside never becomes a path here.
_MODEL = "model.bin"
_TOKENIZER = "tokenizer.json"
_NEEDED = (_MODEL, "config.json", _TOKENIZER)
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_WANTED = (*_NEEDED, *_VOCABULARIES, "preprocessor_config.json")


def choose(names: Collection[str], what: str) -> list[str]:
    """The files to take of those that there are, the large one last.

    Raises Unfit where faster-whisper could not load them, or would look for more in the network.
    """
    if _MODEL not in names:
        raise Unfit(
            f"{what} has no {_MODEL}, so it is not in CTranslate2's format. Take one that was "
            "converted (they are often called faster-whisper-…), or convert it with "
            "ct2-transformers-converter and bring the folder by --from."
        )
    missing = [name for name in _NEEDED if name not in names]
    if not any(name in names for name in _VOCABULARIES):
        missing.append(" or ".join(_VOCABULARIES))
    if missing:
        raise Unfit(
            f"{what} lacks {', '.join(missing)}: it could not be loaded without the network. Put "
            "what is missing, from the model that it was converted from, into a folder with the "
            "rest, and bring it by --from."
        )
    return sorted((name for name in _WANTED if name in names), key=lambda name: name == _MODEL)
