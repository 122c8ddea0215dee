"""What there is after a model was installed, and what follows from it, in lines for a person."""

from __future__ import annotations

import json
from pathlib import Path

from services.installing.choosing import is_translator
from services.installing.describing import describe
from services.installing.pulling import Installed
from services.installing.target import Target
from services.model.catalog import is_noncommercial


def outcome(target: Target, done: Installed) -> list[str]:
    """The lines."""
    lock = done.lock
    commit = f" at {lock.revision[:12]}" if lock.revision else ""
    lines = [
        f"{target.name}{commit} is {'installed' if done.anew else 'there already, whole'}.",
        f"  folder   {done.folder}",
        f"  licence  {lock.licence or 'not said'}",
        f"  digest   {lock.digest}",
    ]
    if not lock.verified:
        lines.append("There were no hashes to compare it with; its first ones are kept beside it.")
    translates = is_translator([file.name for file in lock.files])
    if not translates and not any(file.name == "preprocessor_config.json" for file in lock.files):
        lines.append("It has no preprocessor_config.json: 80 mel bands are assumed.")
    if is_noncommercial(lock.licence):
        lines.append(
            "Its licence forbids commercial use: it is used where a task names it, and else only "
            "with FANSCRIBE_ALLOW_NONCOMMERCIAL=true."
        )
    if target.entry is None:
        table = _table_of_text(target, done.folder) if translates else _table_of_speech(target)
        lines += ["Tasks can use it once the catalog file (FANSCRIBE_CATALOG_FILE) has it:", table]
    if done.anew:
        worker = f"fanscribe worker {'translator' if translates else 'whisper'}"
        lines.append(
            "What runs already does not see it: start fanscribe up again, or, where they run by "
            f"themselves, fanscribe manager and {worker}."
        )
    return lines


def _table_of_speech(target: Target) -> str:
    return _table(target, "transcribe", "faster-whisper")


def _table_of_text(target: Target, folder: Path) -> str:
    """With all that the model itself shows; what it does not is for the operator to say."""
    about = describe(target.name, folder)
    lines = [_table(target, "translate", "ctranslate2"), f'family = "{about.family}"']
    if about.languages:
        lines.append(f"languages = {json.dumps(about.languages)}")
    else:
        pairs = about.pairs or [("en", "de")]
        lines.append(f"pairs = {json.dumps(pairs)}{'' if about.pairs else '  # write its own'}")
    return "\n".join(lines)


def _table(target: Target, kind: str, engine: str) -> str:
    return (
        f'[[model]]\nname = "{target.name.partition("/")[2]}"\nkind = "{kind}"\n'
        f'engine = "{engine}"\nlocation = "{target.name}"'
    )
