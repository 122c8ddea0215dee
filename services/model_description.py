"""What a translation model's folder says of the model: its description, and its vocabulary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from services.model.values import Stored

DESCRIPTION_FILE = "fanscribe.json"


class Description(Stored):
    """Lies beside the model. `tokens` are those of languages that the model calls unlike others of
    its family; `positions`, `max_source_tokens` and `beam_size` are 0 where its family's hold."""

    family: str = ""
    languages: list[str] = Field(default_factory=list)
    pairs: list[tuple[str, str]] = Field(default_factory=list)
    tokens: dict[str, str] = Field(default_factory=dict)
    tokenizer_file: str = ""
    positions: int = 0
    max_source_tokens: int = 0
    beam_size: int = 0
    licence: str = ""


def read_description(folder: Path) -> Description:
    """An empty one where there is none, or it cannot be read."""
    try:
        return Description.model_validate_json((folder / DESCRIPTION_FILE).read_bytes())
    except (OSError, ValidationError):
        return Description()


def write_description(folder: Path, about: Description) -> None:
    """With what it says, and nothing of what it leaves to the family. Raises OSError."""
    text = about.model_dump_json(indent=2, exclude_defaults=True)
    (folder / DESCRIPTION_FILE).write_text(text + "\n", encoding="utf-8")


def read_vocabulary(folder: Path) -> list[str]:
    """The tokens that the model reads, as CTranslate2 keeps them; empty where there are none."""
    for name in ("source_vocabulary", "shared_vocabulary"):
        path = folder / name
        if (listed := path.with_suffix(".json")).is_file():
            tokens: list[str] = json.loads(listed.read_text(encoding="utf-8"))
            return tokens
        if (lines := path.with_suffix(".txt")).is_file():
            return lines.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return []


def ends_by_itself(folder: Path) -> bool:
    """Whether CTranslate2 puts the end behind each source by itself, as of Marian's own files."""
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except OSError:
        return False
    return bool(config.get("add_source_eos"))
