"""The glossary of a task, from the wire and from the lists that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from services.model.errors import Invalid
from services.model.glossary import MAX_PAIR, Entry, Glossary, size_of
from services.model.hotwords import MAX_TERMS
from services.model.task import Manifest
from services.model.terms import TermList
from task_manager.schemas.terms import NewGlossary
from task_manager.terms import named_list, to_terms, version

_FIELD = "options.glossary"


def with_glossary(
    manifest: Manifest, new: NewGlossary | None, find: Callable[[str], TermList | None]
) -> Manifest:
    """The manifest with its glossary; `find` knows the owner's lists. Raises Invalid."""
    if new is None:
        return manifest
    glossary = _glossary(new, find)
    _check_size(glossary)
    options = manifest.options.model_copy(update={"glossary": glossary})
    return manifest.model_copy(update={"options": options})


def _glossary(new: NewGlossary, find: Callable[[str], TermList | None]) -> Glossary:
    own = [_unheard(entry) for entry in to_terms(new.terms, f"{_FIELD}.terms")]
    for number, entry in enumerate(own):
        if not _is_translated(entry):
            raise Invalid(
                f"Say how {entry.text!r} is translated: with `translations`, or with `keep`.",
                code="term_without_translation",
                field=f"{_FIELD}.terms.{number}",
            )
    lists = [
        named_list(named, find, f"{_FIELD}.lists.{number}")
        for number, named in enumerate(new.lists)
    ]
    terms = [*own, *_besides(own, lists)]
    if not terms:
        raise Invalid(
            "Name at least one term with a translation, or a list that has one.",
            code="no_terms",
            field=f"{_FIELD}.terms",
        )
    if len(terms) > MAX_TERMS:
        raise Invalid(
            f"A task takes up to {MAX_TERMS} terms, these are {len(terms)}.",
            code="too_many_terms",
            field=f"{_FIELD}.terms",
        )
    return Glossary(terms=terms, taken_from=[version(kept) for kept in lists])


def _besides(own: Iterable[Entry], lists: Iterable[TermList]) -> list[Entry]:
    """The terms of the lists that the request does not name itself. Raises Invalid where two lists
    do not agree."""
    given = {(entry.text, entry.language) for entry in own}
    found: dict[tuple[str, str | None], Entry] = {}
    for number, kept in enumerate(lists):
        for listed in filter(_is_translated, kept.terms):
            entry = _unheard(listed)
            key = (entry.text, entry.language)
            if key not in given and found.setdefault(key, entry) != entry:
                raise Invalid(
                    f"Two lists translate {entry.text!r} in two ways: say in `terms` which counts.",
                    code="conflicting_terms",
                    field=f"{_FIELD}.lists.{number}",
                )
    return list(found.values())


def _unheard(entry: Entry) -> Entry:
    """Without what it is to a speech model."""
    return entry.model_copy(update={"boost": None})


def _is_translated(entry: Entry) -> bool:
    return entry.keep or bool(entry.translations)


def _check_size(glossary: Glossary) -> None:
    """What goes to a worker with each job, of whatever languages: some may be added later."""
    sources = {entry.language for entry in glossary.terms if entry.language} or {""}
    targets = dict.fromkeys(tag for entry in glossary.terms for tag in entry.translations)
    for target in [*targets, ""]:  # into a language that nothing names terms are kept
        size = max(size_of(glossary.rules(source, target)) for source in sources)
        if size > MAX_PAIR:
            raise Invalid(
                f"The terms and translations into {target or 'any language'} have {size} bytes, "
                f"and a glossary takes {MAX_PAIR} for one pair of languages: leave some out.",
                code="glossary_too_large",
                field=f"{_FIELD}.terms",
            )
