"""Terms from the wire, into a task or into a list that is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from services.model.errors import Invalid
from services.model.hotwords import MAX_TERMS, ROOM, Hotwords, Method, Term, TermList, fitting
from services.model.task import Manifest
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


def to_terms(given: Sequence[str | NewTerm], field: str) -> list[Term]:
    """Raises Invalid for what is no term, and for one that is there twice."""
    found: dict[str, Term] = {}
    for number, each in enumerate(given):
        term = Term(text=each) if isinstance(each, str) else Term(text=each.text, boost=each.boost)
        where = f"{field}.{number}"
        check_characters(term.text, where)
        if not term.text.strip():
            raise Invalid("A term is not empty.", code="empty_term", field=where)
        if found.setdefault(term.text, term) is not term:
            raise Invalid(
                f"The term {term.text!r} is there twice.", code="duplicate_term", field=where
            )
    return list(found.values())


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
    terms = {term.text: term for term in to_terms(new.terms, "options.hotwords.terms")}
    taken_from = ""
    if new.list is not None:
        check_characters(new.list, "options.hotwords.list")
        kept = find(new.list)
        if kept is None:
            raise Invalid(
                "There is no term list of yours with this id or name: see GET /v1/term-lists.",
                code="unknown_term_list",
                field="options.hotwords.list",
            )
        taken_from = f"{kept.id}@{kept.revision}"
        terms = {**{term.text: term for term in kept.terms}, **terms}
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
