"""From the options of a request to the decoder's: other names for them, and what does not go
together; pure.

Nothing that was stated is passed over in silence: it reaches the decoder, or it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.model.catalog import ModelEntry
from services.model.decoding import GUARDS, Decoding, ladder
from services.model.errors import Invalid
from task_manager.schemas.new_task import NewOptions

_OTHER_NAMES = {
    "num_beams": "beam_size",
    "num_return_sequences": "n_best",
    "top_k": "sampling_top_k",
}

# What other decoders do and CTranslate2 does not.
IMPOSSIBLE = {
    "top_p": "it draws from the top_k likeliest tokens, not from a share of the probability",
    "min_p": "it draws from the top_k likeliest tokens, not from those above a probability",
    "typical_p": "it draws from the top_k likeliest tokens",
    "num_beam_groups": "its beams are one group; ask for num_return_sequences",
    "diversity_penalty": "its beams are one group; ask for num_return_sequences",
    "penalty_alpha": "it has no contrastive search; use repetition_penalty",
}

# What only one window after the other can do.
ONE_BY_ONE = {
    "condition_on_previous_text": "the window before is heard at the same time",
    "prefix": "the rows of a batch begin alike",
    "hallucination_silence_threshold": "nothing is passed over between windows",
}


def to_decoding(new: NewOptions) -> Decoding:
    """Raises Invalid, `option_not_supported` or `contradictory_options`, with the field."""
    given = {name: getattr(new, name) for name in new.model_fields_set}
    stated = {name: value for name, value in given.items() if value is not None}
    for name, reason in IMPOSSIBLE.items():
        if name in stated:
            raise _impossible(name, f"{name} is not something that CTranslate2 can do: {reason}.")
    values = {name: given[name] for name in Decoding.model_fields if name in given}
    values |= _by_other_names(stated)
    values["temperature"] = _temperatures(stated)
    values["guards"] = _guards(new.guards)
    decoding = Decoding.model_validate(values)
    for check in (_check_search, _check_sampling, _check_mode):
        check(decoding, stated)
    if decoding.hallucination_silence_threshold is not None and not new.word_timestamps:
        raise _contradiction(
            "hallucination_silence_threshold", "it looks at the times of words: set word_timestamps"
        )
    if decoding.prefix and new.channels == "each":
        raise _impossible("prefix", "Every channel begins by itself: there is no prefix for all.")
    if new.multilingual:
        _check_multilingual(decoding)
    return decoding


def check_model(decoding: Decoding, entry: ModelEntry) -> None:
    """Raises Invalid for what the model was not trained for."""
    if decoding.task == "translate" and not entry.writes_english:
        raise _impossible(
            "task",
            f"The model {entry.name} writes down what is said and translates nothing: leave task "
            "out and name en as a target, or use a model of several languages, such as large-v3.",
        )


def _by_other_names(stated: Mapping[str, Any]) -> dict[str, Any]:
    """The values under the names that we have for them."""
    found = {}
    for other, ours in _OTHER_NAMES.items():
        if other in stated:
            if stated.get(ours, stated[other]) != stated[other]:
                raise _contradiction(other, f"it is another name for {ours}, which says otherwise")
            found[ours] = stated[other]
    if stated.get("early_stopping") and stated.get("patience", 1) != 1:
        raise _contradiction("early_stopping", "it means a patience of 1")
    return found


def _temperatures(stated: Mapping[str, Any]) -> list[float]:
    """A list is taken as it stands; do_sample says whether words are drawn by chance at all."""
    wanted = stated.get("temperature")
    listed = wanted if isinstance(wanted, list) else None
    match stated.get("do_sample"):
        case True:
            found = listed or [1.0 if wanted is None else wanted]
            if found[0] == 0:
                raise _contradiction("do_sample", "at temperature 0 nothing is drawn by chance")
            return found
        case False:
            if any(listed or [wanted or 0.0]):
                raise _contradiction("do_sample", "above temperature 0 words are drawn by chance")
            return [0.0]
        case _:
            return listed or ladder(wanted)


def _guards(wanted: bool | list[Any]) -> list[Any]:  # noqa: FBT001  as the caller writes it
    if isinstance(wanted, bool):
        return list(GUARDS) if wanted else []
    return [guard for guard in GUARDS if guard in wanted]


def _check_search(decoding: Decoding, stated: Mapping[str, Any]) -> None:
    """What belongs to the search at temperature 0."""
    searches = 0.0 in decoding.temperature
    if not searches and decoding.beam_size > 1:
        _refuse(stated, "beam_size", "above temperature 0 there are no beams: use best_of")
    if decoding.patience != 1 and not (searches and decoding.beam_size > 1):
        _refuse(stated, "patience", "it needs more than one beam, and temperature 0")
    most = decoding.best_of if decoding.samples else decoding.beam_size
    if decoding.n_best > most:
        few = "best_of" if decoding.samples else "beam_size"
        _refuse(stated, "n_best", f"there are no more readings than {few}, which is {most}")


def _check_sampling(decoding: Decoding, stated: Mapping[str, Any]) -> None:
    """What belongs to the draw above temperature 0."""
    if any(decoding.temperature):
        return
    _refuse(stated, "best_of", "at temperature 0 one search gives all readings: use beam_size")
    if decoding.sampling_top_k:
        _refuse(stated, "sampling_top_k", "at temperature 0 nothing is drawn")


def _check_mode(decoding: Decoding, stated: Mapping[str, Any]) -> None:
    if decoding.mode == "sequential":
        _refuse(stated, "batch_size", "windows are heard one by one unless mode is batched")
        return
    if len(decoding.temperature) > 1 and isinstance(stated.get("temperature"), list):
        raise _impossible(
            "temperature", "Batched, a window is not tried again: give one temperature."
        )
    for name, reason in ONE_BY_ONE.items():
        if getattr(decoding, name):
            raise _impossible(name, f"Batched, there is no {name}: {reason}.")


def _check_multilingual(decoding: Decoding) -> None:
    """Each stretch of speech is a hearing of its own there."""
    if decoding.mode == "batched":
        raise _impossible(
            "mode", "Not with multilingual: each stretch is heard by itself, in its own language."
        )
    for name in ("prefix", "condition_on_previous_text"):
        if getattr(decoding, name):
            raise _impossible(name, f"With multilingual there is no {name}: stretches stand alone.")


def _refuse(stated: Mapping[str, Any], name: str, reason: str) -> None:
    """Unless it was never stated, by that name or another."""
    names = [name, *(other for other, ours in _OTHER_NAMES.items() if ours == name)]
    for each in names:
        if each in stated:
            raise _contradiction(each, reason)


def _contradiction(name: str, reason: str) -> Invalid:
    return Invalid(
        f"{name} does not go with the other options: {reason}.",
        code="contradictory_options",
        field=f"options.{name}",
    )


def _impossible(name: str, message: str) -> Invalid:
    return Invalid(message, code="option_not_supported", field=f"options.{name}")
