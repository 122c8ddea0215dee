"""From a request to the canonical manifest: everything that can be wrong with it is found here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import unquote, urlsplit

from services.guarded import NotAllowed, read_url
from services.model.addresses import Network
from services.model.catalog import Catalog
from services.model.errors import Invalid
from services.model.labels import check_label
from services.model.languages import parse_language
from services.model.task import AudioInput, ItemSpec, Manifest, Options, Target
from services.settings import Settings
from services.storage.named import SCHEMES, NamedBuckets
from task_manager import decode_options, tongues
from task_manager.characters import NOT_IN_NAMES, NOT_IN_TEXTS, check_characters
from task_manager.metadata import check_metadata
from task_manager.schemas.new_task import MAX_TEXT_ID, NewItem, NewOptions, NewTask
from task_manager.translators import check_pairs, named_models


@dataclass(frozen=True, slots=True)
class Rules:
    """What a request is held against."""

    settings: Settings
    catalog: Catalog
    networks: Sequence[Network]  # not public, and yet allowed
    buckets: NamedBuckets
    find_audio: Callable[[str, str], AudioInput | None]  # by upload key, for a field


def to_manifest(new: NewTask, rules: Rules) -> Manifest:
    """Raises Invalid with a stable code and the dotted field of the first mistake."""
    check_metadata(new.metadata)
    targets = to_targets(new.targets, limit=rules.settings.max_targets)
    items = _items(new, rules)
    options = _options(new.options, rules.catalog, items)
    manifest = Manifest(items=items, targets=targets, options=options)
    check_pairs(manifest, rules.catalog)
    return manifest


def stem(name: str) -> str:
    """`1.mp3` → `1`, whatever folders a client put in front of it."""
    return PurePosixPath(name.replace("\\", "/")).stem


def named_after(name: str) -> str:
    """A text id for a file that comes alone, whatever its name."""
    return NOT_IN_NAMES.sub("", stem(name)).strip()[:MAX_TEXT_ID] or "audio"


# ── targets ──────────────────────────────────────────────────────────────────────────────────


def to_targets(written: list[str], *, limit: int, name: str = "targets") -> list[Target]:
    """The target languages with the caller's spelling, in the caller's order; `name` is the field
    that they stand in."""
    if not written:
        raise Invalid("Name at least one target language.", code="no_targets", field=name)
    if len(written) > limit:
        raise Invalid(
            f"A task takes up to {limit} target languages.",
            code="too_many_targets",
            field=name,
        )
    found: dict[str, Target] = {}
    for number, tag in enumerate(written):
        field = f"{name}.{number}"
        target = Target(language=_parsed(tag, field), spelling=tag)
        earlier = found.setdefault(target.language, target)
        if earlier is not target:
            raise _doubled(earlier, target, field)
    return list(found.values())


def _doubled(earlier: Target, later: Target, field: str) -> Invalid:
    scripts = {"hans" in target.spelling.lower() for target in (earlier, later)}
    if len(scripts) > 1:
        return Invalid(
            f"{earlier.spelling!r} and {later.spelling!r} are one language here: zh is Chinese in "
            "Simplified characters. Name one of them; zh-Hant is Traditional Chinese.",
            code="ambiguous_targets",
            field=field,
        )
    return Invalid(
        f"{later.spelling!r} names a target that is there already ({earlier.spelling!r}).",
        code="duplicate_target",
        field=field,
    )


# ── items ────────────────────────────────────────────────────────────────────────────────────


def _items(new: NewTask, rules: Rules) -> list[ItemSpec]:
    limit = rules.settings.max_items
    if not new.items:
        raise Invalid("A task has at least one item.", code="no_items", field="items")
    if len(new.items) > limit:
        raise Invalid(f"A task takes up to {limit} items.", code="too_many_items", field="items")
    items: list[ItemSpec] = []
    seen: dict[str, int] = {}
    for number, item in enumerate(new.items):
        spec = _item(new, item, number, rules)
        first = seen.setdefault(spec.text_id, number)
        if first != number:
            raise Invalid(
                f"Items {first} and {number} have the same text id.",
                code="duplicate_text_id",
                field=f"items.{number}.text_id",
            )
        items.append(spec)
    return items


def _item(new: NewTask, item: NewItem, number: int, rules: Rules) -> ItemSpec:
    field = f"items.{number}"
    if item.audio is None and item.text is None:
        raise Invalid(
            "An item has an audio, a text, or both.", code="item_without_content", field=field
        )
    audio = _audio(item.audio, f"{field}.audio", rules) if item.audio is not None else None
    language = _language(new, item, field)
    if item.text is not None:
        check_text(item.text, rules.settings.max_text_chars, f"{field}.text")
        if language is None:
            raise Invalid(
                "State the language of the text, for the item or for the whole task.",
                code="language_required",
                field=f"{field}.language",
            )
    text_id = item.text_id
    if text_id is None:
        text_id = stem(audio.name) if audio and audio.name else str(number + 1)
    check_text_id(text_id, f"{field}.text_id")
    return ItemSpec(text_id=text_id, audio=audio, text=item.text, language=language)


def _audio(written: str, field: str, rules: Rules) -> AudioInput:
    check_characters(written, field)
    if "://" in written:
        return _of_url(written, field, rules)
    audio = rules.find_audio(written, field)
    if audio is None:
        raise Invalid(
            "There is no upload of yours under this key: send the file to POST /v1/uploads.",
            code="unknown_upload",
            field=field,
        )
    return audio


def _of_url(url: str, field: str, rules: Rules) -> AudioInput:
    """As far as its text tells; what is there is seen when a worker fetches it."""
    try:
        if url.partition("://")[0] in SCHEMES:
            rules.buckets.check(url)
        else:
            read_url(url, rules.networks)
    except (NotAllowed, Invalid) as refused:
        raise Invalid(str(refused), code="url_not_allowed", field=field) from refused
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    return AudioInput(key="", size=0, sha256="", name=NOT_IN_NAMES.sub("", name)[:255], url=url)


def _language(new: NewTask, item: NewItem, field: str) -> str | None:
    if item.language is not None:
        return _parsed(item.language, f"{field}.language")
    return _parsed(new.language, "language") if new.language is not None else None


def _parsed(tag: str, field: str) -> str:
    check_characters(tag, field)
    return parse_language(tag, field=field)


def check_text_id(text_id: str, field: str) -> None:
    if not text_id.strip():
        raise Invalid("A text id is not empty.", code="empty_text_id", field=field)
    if len(text_id) > MAX_TEXT_ID:
        raise Invalid(
            f"A text id has up to {MAX_TEXT_ID} characters, this one has {len(text_id)}.",
            code="text_id_too_long",
            field=field,
        )
    check_characters(text_id, field)


def check_text(text: str, limit: int, field: str) -> None:
    if not text.strip():
        raise Invalid("The text is empty: leave it out instead.", code="empty_text", field=field)
    if len(text) > limit:
        raise Invalid(
            f"A text has up to {limit} characters, this one has {len(text)}.",
            code="text_too_long",
            field=field,
        )
    check_characters(text, field, NOT_IN_TEXTS)


# ── options ──────────────────────────────────────────────────────────────────────────────────


def _options(new: NewOptions, catalog: Catalog, items: list[ItemSpec]) -> Options:
    needs_ears = any(item.audio for item in items)
    model = _transcriber(new, catalog, items) if needs_ears or new.model is not None else ""
    translate_model, translate_models = named_models(new, catalog)
    check_hints(new.prompt, new.keywords, prefix="options.")
    check_characters(new.prefix, "options.prefix", NOT_IN_TEXTS)
    decoding = decode_options.to_decoding(new)
    if (entry := catalog.entry(model)) is not None:
        decode_options.check_model(decoding, entry)
    named = [_parsed(tag, f"options.spoken.{n}") for n, tag in enumerate(new.spoken)]
    if new.multilingual:
        tongues.check_multilingual(catalog.entry(model))
    return Options(
        transcribe_model=model,
        translate_model=translate_model,
        translate_models=translate_models,
        decoding=decoding,
        vad=new.vad,
        word_timestamps=new.word_timestamps,
        segments=new.segments,
        spoken=tongues.spoken(named, catalog.entry(model)),
        language_threshold=new.language_threshold,
        language_unsure=new.language_unsure,
        multilingual=new.multilingual,
        reuse=new.reuse,
        previews=new.previews,
        keywords=new.keywords,
        channels=new.channels,
        check_threshold=new.check_threshold,
        check_action=_check_action(new),
        language_spelling=new.language_spelling,
        output_forms=list(dict.fromkeys(new.output_forms)),
        output_bilingual=new.output_bilingual,
        node_label=_node_label(new),
    )


def check_hints(prompt: str, keywords: list[str], *, prefix: str = "") -> None:
    """Raises Invalid for what is no text, or no term."""
    check_characters(prompt, f"{prefix}prompt", NOT_IN_TEXTS)
    for number, term in enumerate(keywords):
        field = f"{prefix}keywords.{number}"
        check_characters(term, field)
        if not term.strip():
            raise Invalid("A keyword is not empty.", code="empty_keyword", field=field)


def _check_action(new: NewOptions) -> Literal["flag", "fail"]:
    if new.check_action == "fail" and new.check_threshold is None:
        raise Invalid(
            "Say with check_threshold from which error rate on an item fails.",
            code="no_check_threshold",
            field="options.check_threshold",
        )
    return new.check_action


def _node_label(new: NewOptions) -> str:
    """A label that no live node has is fine: nodes may come."""
    return "" if new.node_label is None else check_label(new.node_label, "options.node_label")


def _transcriber(new: NewOptions, catalog: Catalog, items: list[ItemSpec]) -> str:
    try:
        entry = catalog.transcriber(new.model)
    except Invalid as error:
        error.field = "options.model"
        raise
    for number, item in enumerate(items):
        if item.audio and item.language:
            tongues.check_heard(entry, item.language, f"items.{number}.language")
    return entry.name
