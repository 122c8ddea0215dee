"""The translation models that a request names: known, and able to do what it asks of them."""

from __future__ import annotations

from itertools import product

from services.model.catalog import Catalog, ModelEntry
from services.model.errors import Invalid
from services.model.languages import LANGUAGES, parse_language
from services.model.task import ANY_TARGET, Manifest
from task_manager.schemas.new_task import NewOptions


def named_models(new: NewOptions, catalog: Catalog) -> tuple[str | None, dict[str, list[str]]]:
    """The one model for all pairs, and those by target language, each by the catalog's own name.

    Raises Invalid.
    """
    if new.translate_model is not None and new.translate_models:
        raise Invalid(
            "Give translate_model or translate_models: the first is for every language.",
            code="conflicting_options",
            field="options.translate_models",
        )
    one = new.translate_model
    by_target: dict[str, list[str]] = {}
    for written, names in new.translate_models.items():
        field = "options.translate_models"  # what was written may be anything
        target = ANY_TARGET if written == ANY_TARGET else parse_language(written, field=field)
        field = f"{field}.{target}"
        if target in by_target:
            raise Invalid(
                f"{target} has two lists of models: give one.", code="duplicate_target", field=field
            )
        by_target[target] = [
            _entry(name, catalog, f"{field}.{number}").name for number, name in enumerate(names)
        ]
    if one is not None:
        _entry(one, catalog, "options.translate_model")
    return one, by_target


def check_pairs(manifest: Manifest, catalog: Catalog) -> None:
    """Models that were named must serve what is known already: each a pair into its target, and
    together those of the stated languages. Raises Invalid."""
    options = manifest.options
    if options.translate_model is not None:
        _serve(manifest, manifest.languages, [options.translate_model], catalog,
               "options.translate_model")  # fmt: skip
    for target, names in options.translate_models.items():
        field = f"options.translate_models.{target}"
        if target == ANY_TARGET:
            rest = [each for each in manifest.languages if each not in options.translate_models]
            _serve(manifest, rest, names, catalog, field)
            continue
        if target not in manifest.languages:
            raise Invalid(f"{target} is no target of this task.", code="not_a_target", field=field)
        for number, name in enumerate(names):
            entry = catalog.entry(name)
            if entry is None or not any(entry.serves(source, target) for source in LANGUAGES):
                raise Invalid(
                    f"The model {name} translates nothing into {target}.",
                    code="pair_not_served",
                    field=f"{field}.{number}",
                )
        _serve(manifest, [target], names, catalog, field)


def _serve(
    manifest: Manifest, targets: list[str], names: list[str], catalog: Catalog, field: str
) -> None:
    sources = dict.fromkeys(each for item in manifest.items for each in manifest.stated(item))
    for source, target in product(sources, targets):
        if target == source or catalog.translator(source, target, names):
            continue
        into = [tag for tag in LANGUAGES if catalog.translator(source, tag, names)]
        listed = ", ".join(names)
        what = (
            f"The model {listed} does not translate"
            if len(names) == 1
            else (f"None of the models {listed} translates")
        )
        raise Invalid(
            f"{what} {source} into {target}; from {source} it can be: "
            f"{', '.join(into) or 'nothing'}.",
            code="pair_not_served",
            field=field,
        )


def _entry(name: str, catalog: Catalog, field: str) -> ModelEntry:
    entry = catalog.entry(name)
    if entry is None or entry.kind != "translate":
        known = ", ".join(e.name for e in catalog.entries.values() if e.kind == "translate")
        raise Invalid(
            f"There is no such translation model; there are {known or 'none'}.",
            code="unknown_model",
            field=field,
        )
    return entry
