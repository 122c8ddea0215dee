"""Terms from the wire, into a task or into a list that is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from services.model.errors import Invalid
from services.model.glossary import Entry
from services.model.hotwords import MAX_TERMS, ROOM, Hotwords, Method, Term, fitting
from services.model.languages import parse_language
from services.model.task import Manifest
from services.model.terms import TermList
from task_manager.characters import check_characters
from task_manager.clock import moment
from task_manager.schemas.terms import NewHotwords, NewTerm, TermListSummary, TermListView

Count = Callable[[str], int]

_SHOWN = 5  # terms that a refusal names
_METHODS: dict[Literal["prompt", "bias", "prompt_injection", "logit_bias"], Method] = {
    "prompt": "prompt",
    "prompt_injection": "prompt",
    "bias": "bias",
    "logit_bias": "bias",
}


def to_terms(given: Sequence[str | NewTerm], field: str) -> list[Entry]:
    """Raises Invalid for what is no term, and for one that is there twice in one language."""
    found: dict[tuple[str, str | None], Entry] = {}
    for number, each in enumerate(given):
        where = f"{field}.{number}"
        term = Entry(text=each) if isinstance(each, str) else _entry(each, where)
        check_characters(term.text, where)
        if not term.text.strip():
            raise Invalid("A term is not empty.", code="empty_term", field=where)
        if found.setdefault((term.text, term.language), term) is not term:
            raise Invalid(
                f"The term {term.text!r} is there twice.", code="duplicate_term", field=where
            )
    return list(found.values())


def _entry(new: NewTerm, where: str) -> Entry:
    language = new.language
    return Entry(
        text=new.text,
        boost=new.boost,
        language=None if language is None else _tag(language, f"{where}.language"),
        translations=_translations(new.translations, f"{where}.translations"),
        keep=new.keep,
        case_sensitive=new.case_sensitive,
    )


def _translations(given: Mapping[str, str], where: str) -> dict[str, str]:
    """By canonical tag. Raises Invalid."""
    found: dict[str, str] = {}
    for written, text in given.items():
        tag = _tag(written, where)
        field = f"{where}.{tag}"
        check_characters(text, field)
        if not text.strip():
            raise Invalid("A translation is not empty.", code="empty_translation", field=field)
        if tag in found:
            raise Invalid(
                f"There are two translations into {tag}: name it once.",
                code="duplicate_translation",
                field=field,
            )
        found[tag] = text
    return found


def _tag(written: str, field: str) -> str:
    check_characters(written, field)
    return parse_language(written, field=field)


def with_hotwords(
    manifest: Manifest,
    new: NewHotwords | None,
    find: Callable[[str], TermList | None],
    counter: Callable[[str], Count | None],
) -> Manifest:
    """The manifest with its terms, those of a stored list copied into it. `find` knows the
    owner's lists, `counter` the tokens of a model that lies on this machine. Raises Invalid."""
    if new is None:
        return manifest
    hotwords = _hotwords(new, find)
    if manifest.options.keywords:
        raise Invalid(
            "Name the terms once: as `hotwords`, or as `keywords`, which is their method `prompt`.",
            code="hotwords_and_keywords",
            field="options.hotwords",
        )
    if hotwords.method == "prompt":
        _check_room(manifest, hotwords, counter)
    options = manifest.options.model_copy(update={"hotwords": hotwords})
    return manifest.model_copy(update={"options": options})


def _hotwords(new: NewHotwords, find: Callable[[str], TermList | None]) -> Hotwords:
    terms = _heard(to_terms(new.terms, "options.hotwords.terms"))
    taken_from = ""
    if new.list is not None:
        kept = named_list(new.list, find, "options.hotwords.list")
        taken_from = version(kept)
        terms = {**_heard(kept.terms), **terms}
    if not terms:
        raise Invalid(
            "Name at least one term, or a list that has one.",
            code="no_terms",
            field="options.hotwords.terms",
        )
    if len(terms) > MAX_TERMS:
        raise Invalid(
            f"A task takes up to {MAX_TERMS} terms, these are {len(terms)}.",
            code="too_many_terms",
            field="options.hotwords.terms",
        )
    return Hotwords(
        terms=list(terms.values()),
        method=_METHODS[new.method],
        boost_factor=new.boost_factor,
        taken_from=taken_from,
    )


def named_list(named: str, find: Callable[[str], TermList | None], field: str) -> TermList:
    """Raises Invalid."""
    check_characters(named, field)
    kept = find(named)
    if kept is None:
        raise Invalid(
            "There is no term list of yours with this id or name: see GET /v1/term-lists.",
            code="unknown_term_list",
            field=field,
        )
    return kept


def version(kept: TermList) -> str:
    """What a task says of where it has its terms from."""
    return f"{kept.id}@{kept.revision}"


def _heard(entries: Sequence[Entry]) -> dict[str, Term]:
    """By text; how they are translated is nothing to a speech model."""
    return {entry.text: Term(text=entry.text, boost=entry.boost) for entry in entries}


def _check_room(
    manifest: Manifest, hotwords: Hotwords, counter: Callable[[str], Count | None]
) -> None:
    """What can be known of it before the work: where the model lies on another machine only, its
    worker tells which terms it had to drop."""
    count = counter(manifest.options.transcribe_model)
    dropped = [] if count is None else fitting(hotwords.texts, count)[1]
    if dropped:
        named = ", ".join(map(repr, dropped[:_SHOWN])) + (", …" if dropped[_SHOWN:] else "")
        raise Invalid(
            f"The method `prompt` has room for {ROOM} tokens, and {len(dropped)} of the terms "
            f"find none: {named}. Leave some out, or use the method `bias`.",
            code="no_room_for_terms",
            field="options.hotwords.terms",
        )


def summary(kept: TermList) -> TermListSummary:
    return TermListSummary(**_shown(kept))


def view(kept: TermList) -> TermListView:
    return TermListView(**_shown(kept), terms=kept.terms)


def _shown(kept: TermList) -> dict[str, object]:
    return {
        "id": kept.id,
        "name": kept.name,
        "description": kept.description,
        "count": len(kept.terms),
        "revision": kept.revision,
        "created_at": moment(kept.created_at),
        "changed_at": moment(kept.changed_at),
    }
