"""Converts a translation model into CTranslate2's format, into a folder that describes itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from services.installing.choosing import tokenizer_files
from services.installing.describing import describe
from services.installing.errors import CannotInstall, Unfit
from services.installing.hub import Hub
from services.installing.pulling import (
    Installed,
    Show,
    alone,
    check_room,
    fetch,
    put_in_place,
)
from services.model_description import Description, write_description
from services.model_lock import ModelLock, hashed

_OPUS = "decoder.yml"  # lies in every archive of OPUS-MT
_CONFIG = "config.json"
_FROM_OPUS = ("ctranslate2.converters.opus_mt", "--model_dir")
_FROM_TRANSFORMERS = ("ctranslate2.converters.transformers", "--model")
# What may come of which type; the names are those of `transformers`.
_FAMILIES = {
    _OPUS: ["marian"], "marian": ["marian"], "m2m_100": ["m2m100", "nllb"], "t5": ["madlad"],
}  # fmt: skip
_WEIGHTS = re.compile(r"(pytorch_model|model)(-\d{5}-of-\d{5})?\.(safetensors|bin)(\.index\.json)?")
_BESIDE = (
    *(_CONFIG, "generation_config.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("added_tokens.json", "vocab.json", "target_vocab.json"),
)
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_LINES = 3  # of what the converter said last


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to become of a model. `sources` and `targets` are stated where the model does not
    show them; `licence` where no hub says it."""

    name: str
    quantization: str
    sources: Sequence[str] = ()
    targets: Sequence[str] = ()
    licence: str = ""


def convert(
    source: Path,
    wanted: Wanted,
    root: Path,
    *,
    hub_id: str = "",
    commit: str = "",
    verified: bool = True,
) -> Installed:
    """Converts what lies in the folder `source`, into the models folder `root`.

    What lies there under the name stays until the new one is whole. What came without a hash is
    not `verified`. Raises CannotInstall.
    """
    if not _NAME.fullmatch(wanted.name):
        raise CannotInstall(f"{wanted.name!r} is no name for a model: give one by --name.")
    if not source.is_dir():
        raise CannotInstall(f"There is no folder {source}: unpack an archive first.")
    names = {path.name for path in source.iterdir()}
    kind = _kind(source, names)
    converter = _FROM_OPUS if kind == _OPUS else _FROM_TRANSFORMERS
    if kind != _OPUS:
        _check_extra(kind)
    tokenizers = tokenizer_files(names)
    if not tokenizers:
        raise Unfit(
            f"{source} has no tokenizer that is known here: SentencePiece models or a "
            "tokenizer.json. Models with BPE and Moses' tokenizer are not supported."
        )
    size = sum(path.stat().st_size for path in source.iterdir() if path.is_file())
    with alone(root, f"convert-{wanted.name}") as partial:
        check_room(root, size)
        try:
            _run([*converter, str(source)], partial, wanted.quantization)
            for name in tokenizers:
                shutil.copyfile(source / name, partial / name)
            write_description(partial, _described(kind, partial, wanted, hub_id or source.name))
        except Unfit:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        files = [hashed(path) for path in sorted(partial.iterdir())]
        lock = ModelLock(
            hub_id=hub_id,
            revision=commit,
            licence=wanted.licence,
            verified=verified,
            files=files,
        )
        folder = root / wanted.name
        put_in_place(partial, folder, lock)
        return Installed(folder, lock, anew=True)


def convert_from_hub(
    hub: Hub, hub_id: str, revision: str, wanted: Wanted, root: Path, *, show: Show
) -> Installed:
    """Brings the model of a hub, checked by its hashes, and converts it. What was brought is
    removed at the end; if it breaks off before, the next call goes on with it. Raises
    CannotInstall."""
    listing = hub.listing(hub_id, revision)
    names = to_convert(listing.files, hub_id)
    _check_extra("")  # before anything is fetched that could not be used
    licence = wanted.licence or listing.licence
    with alone(root, f"source-{hub_id.replace('/', '--')}-{listing.commit}") as partial:
        _, verified = fetch(hub, listing, names, partial, root, show=show)
        told = Wanted(wanted.name, wanted.quantization, wanted.sources, wanted.targets, licence)
        done = convert(partial, told, root, hub_id=hub_id, commit=listing.commit, verified=verified)
        shutil.rmtree(partial)
        return done


def to_convert(names: Collection[str], what: str) -> list[str]:
    """The files to bring, weights last; safe ones where there are both kinds. Raises Unfit."""
    weights = [name for name in names if _WEIGHTS.fullmatch(name)]
    safe = [name for name in weights if ".safetensors" in name]
    weights = safe or [name for name in weights if name.startswith("pytorch_model")]
    if _CONFIG not in names or not weights:
        raise Unfit(f"{what} holds no model of transformers: it has no {_CONFIG} or no weights.")
    return [*(name for name in _BESIDE if name in names), *tokenizer_files(names), *sorted(weights)]


def _kind(source: Path, names: Collection[str]) -> str:
    """OPUS, or what `transformers` calls such models. Raises Unfit."""
    if _OPUS in names:
        return _OPUS
    if _CONFIG not in names:
        raise Unfit(
            f"{source} holds neither a model of OPUS-MT ({_OPUS}) nor one of transformers "
            f"({_CONFIG})."
        )
    try:
        kind = json.loads((source / _CONFIG).read_text(encoding="utf-8"))["model_type"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unfit(f"{source / _CONFIG} does not say the type of the model.") from error
    if kind not in _FAMILIES:
        known = ", ".join(sorted(_FAMILIES))
        raise Unfit(f"{source} is of the type {kind!r}; what can be converted is {known}.")
    return str(kind)


def _check_extra(kind: str) -> None:
    """Raises CannotInstall where what converts such models is not installed, or not the right."""
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise CannotInstall(
            f"Converting a model of transformers needs {' and '.join(missing)}: pip install "
            "'fanscribe[convert]'. Running it afterwards does not."
        )
    if kind == "t5" and int(version("transformers").partition(".")[0]) >= 5:
        raise CannotInstall(
            "transformers 5 takes the two embeddings of MADLAD for one, and what is converted by "
            "it writes nonsense: convert this model with pip install 'transformers<5'."
        )


def _described(kind: str, made: Path, wanted: Wanted, origin: str) -> Description:
    """Raises Unfit where nobody could tell the model which language is wanted of it."""
    about = describe(
        f"{wanted.name} {origin}", made, sources=wanted.sources, targets=wanted.targets
    )
    if about.family not in _FAMILIES[kind]:
        raise Unfit(
            f"{wanted.name} is of the type {kind}, but has none of the tokens that tell "
            f"{' or '.join(_FAMILIES[kind])} a language: its tokenizer's files are not whole."
        )
    if not (about.languages or about.pairs):
        raise Unfit(
            f"Nothing says what {wanted.name} translates into what: name the languages by "
            "--source and --target."
        )
    return about.model_copy(update={"licence": wanted.licence})


def _run(converter: Sequence[str], folder: Path, quantization: str) -> None:
    """In a process of its own, which gives all its memory back; it makes the folder anew."""
    command = [sys.executable, "-m", *converter, "--output_dir", str(folder), "--force"]
    command += ["--quantization", quantization]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()][-_LINES:]
        raise Unfit(f"CTranslate2 cannot convert it: {' '.join(said) or done.returncode}")
