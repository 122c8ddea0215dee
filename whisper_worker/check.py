"""How far what was heard is from the reference text, and where the two part."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

from services.model.differences import MOST_PLACES, Differences
from services.model.stages import Place
from services.model.transcript import Body, Check, Edits, Transcript, is_unspaced
from services.worker.work import Work
from whisper_worker.aligning import LARGEST, Run, align, align_letters, count, cuts
from whisper_worker.bare_words import BareWords, bare_words
from whisper_worker.differing import Differing

_MIXED = 0.1  # from this share of letters that are written without spaces on, characters decide


def checked(
    reference: str | None, heard: Transcript, place: Place | None, work: Work
) -> tuple[Check | None, Body | None]:
    """The check of a whole item, and where its differences lie; nothing without a reference."""
    if reference is None:
        return None, None
    found, differences = compare(reference, heard, pause=work.check)
    if place is None:
        return found, None
    return found, work.keep(place, differences.model_dump_json())


def nothing(language: str | None) -> Transcript:
    """What is heard where nobody speaks."""
    return Transcript(language=language or "", text="", segments=[], no_speech=True)


def compare(
    reference: str,
    heard: Transcript,
    *,
    largest: int = LARGEST,
    pause: Callable[[], None] = lambda: None,
) -> tuple[Check, Differences]:
    """Error rates of words and of characters, by what whisper_worker.bare_words says counts, and
    the places that differ. What is longer than `largest` allows is aligned in windows.

    CER decides where the language, or a tenth of the text, is written without spaces between
    words; it leaves spaces out then, and counts them elsewhere, as is usual.
    """
    expected, found = bare_words(reference), bare_words(heard.text)
    numbers: dict[str, int] = {}
    known, said = (
        [numbers.setdefault(word, len(numbers)) for word in each.words]
        for each in (expected, found)
    )
    runs = list(align(known, said, largest=largest, pause=pause))
    words = count(runs, len(known))
    by_letters = is_unspaced(heard.language) or _is_mixed(expected)
    letters = _letters(expected, found, runs, largest, pause, spaced=not by_letters)
    places = [list(run) for equal, run in groupby(runs, _is_equal) if not equal]
    wer, cer = _rate(words), _rate(letters)
    check = Check(
        wer=wer,
        cer=cer,
        rate=cer if by_letters else wer,
        decides="characters" if by_letters else "words",
        words=words,
        characters=letters,
        differences=len(places),
    )
    differing = Differing(reference, heard, expected, found)
    told = [differing.place(runs[0], runs[-1]) for runs in places[:MOST_PLACES]]
    return check, Differences(count=len(places), places=told)


def _is_equal(run: Run) -> bool:
    return run.kind == "equal"


def _is_mixed(words: BareWords) -> bool:
    return words.unspaced > _MIXED * sum(map(len, words.words))


def _rate(edits: Edits) -> float:
    wrong = edits.substitutions + edits.insertions + edits.deletions
    if not edits.length:
        return 1.0 if wrong else 0.0
    return round(wrong / edits.length, 4)


def _letters(
    expected: BareWords,
    found: BareWords,
    runs: Iterable[Run],
    largest: int,
    pause: Callable[[], None],
    *,
    spaced: bool,
) -> Edits:
    text, begins = expected.letters(spaced=spaced)
    heard, heard_begins = found.letters(spaced=spaced)
    both = ((begins[at], heard_begins[heard_at]) for at, heard_at in cuts(runs))
    aligned = align_letters(text, heard, both, largest=largest, pause=pause)
    return count(aligned, len(text))
