"""Where a line may break, and how well: between words, and in scripts without spaces between
characters, never before what closes or after what opens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.model.transcript import is_unspaced
from task_manager.render.columns import GLUE, clusters, columns, is_hangul, is_wide, width
from task_manager.render.phrases import Small, small_words

SENTENCE, CLAUSE, PHRASE, WORD, CHARACTER, POOR, TORN = 0, 1, 2, 3, 5, 7, 9  # costs of a cut

_CLOSE = "\"')]}）］｝〕〉》」』】”’»›｣"
_AFTER_SPACE = frozenset(
    "!?:;%»›)]}）］｝〕〉》」』】，。、！？：；％"
)  # no line begins with these
_NEVER_FIRST = _AFTER_SPACE | frozenset(
    "\"'.,．‥…”’｡､｣･・ー—―〜～ゝゞヽヾ々〻‰℃°ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶｧｨｩｪｫｯｬｭｮｰゞゝ゛゜ๆฯໆ"
)
_NEVER_LAST = frozenset("([{（［｛〔〈《「『【“‘«‹｢¿¡$£€¥￥＄#＃№@เแโใไເແໂໃໄ")
_ZERO_WIDTH_SPACE = "\u200b"  # Thai, Khmer and Burmese may have one where a word ends
_NO_BREAK = frozenset("\u2060\ufeff")
_SENTENCE = re.compile(rf"[.!?…。！？｡؟۔।॥።។][{re.escape(_CLOSE)}]*$")
_CLAUSE = re.compile(rf"[,;:،؛、，；：–—―][{re.escape(_CLOSE)}]*$")
_SHORT = re.compile(  # no sentence ends here: Mr. z. B. 3. U.S.
    r"(?:[^\W\d_]|\d{1,2}|.*\w\.\w+|mrs?|ms|drs?|st|prof|rev|gen|sen|gov|col|vs|nr|bzw|bzgl|ca"
    r"|evtl|ggf|inkl|mme|mlle|sr|sra|sta|ул)\.",
    re.IGNORECASE,
)
_MEASURE = re.compile(r"(?:[^\W\d_]{1,3}|[%°€$£][^\W\d_]?|Uhr|Mio|mal)[.,]?")
_HIRAGANA = re.compile(r"[ぁ-ゖ]")
_KATAKANA = re.compile(r"[ァ-ヺー]")
_PARTICLES = frozenset("的了着过们吗呢吧啊嘛呀地得過們嗎著")
_CASES = frozenset("をはがにでとへも")  # what stands behind a noun in Japanese, most of the time
_NUMERALS = frozenset("〇零一二三四五六七八九十百千万亿两萬億兩")
_LINKS = frozenset("和与及或但而因所如虽并且就却也又與雖並卻我你他她它这那這")


@dataclass(frozen=True, slots=True)
class Unit:
    """What no line may tear apart. `cost` is that of a cut behind it; it was said from `start` to
    `end` (seconds)."""

    text: str
    columns: int
    space: bool  # behind it
    cost: int
    start: float = 0.0
    end: float = 0.0


def units(line: str, language: str, max_width: int) -> list[Unit]:
    """All of a clean line, in order; none is wider than `max_width`."""
    atoms = [atom for atom in _atoms(line) if atom[0]]
    small = small_words(language)
    found: list[Unit] = []
    for number, (text, space) in enumerate(atoms):
        after = atoms[number + 1][0] if number + 1 < len(atoms) else ""
        cost = _cost(text, after, language, small, space=space)
        pieces = _fitting(text, max_width)
        found += [Unit(piece, width(piece), False, TORN) for piece in pieces[:-1]]
        found.append(Unit(pieces[-1], width(pieces[-1]), space, cost))
    return found


def text_of(shown: Sequence[Unit]) -> str:
    """The line that they stand in."""
    return "".join(unit.text + " " * unit.space for unit in shown).strip(" ")


def _atoms(line: str) -> Iterator[tuple[str, bool]]:
    """Texts that belong together, and whether a space follows."""
    held = ""
    for word in line.split(" "):
        if held and (word[:1] in _AFTER_SPACE or held[-1] in _NEVER_LAST or _is_unseen(held, word)):
            held += " "
        elif held:
            yield held, True
            held = ""
        first, *others = _runs(word)
        held += first
        for each in others:
            yield held, False
            held = each
    yield held, False


def _runs(word: str) -> list[str]:
    """A text without spaces in the pieces between which a line may break."""
    runs: list[str] = []
    before = ""
    for cluster in clusters(word):
        if before and (_glued(before, cluster) or _is_unseen(runs[-1])):
            runs[-1] += cluster
        else:
            runs.append(cluster)
        before = cluster
    return runs or [""]


def _is_unseen(*texts: str) -> bool:
    """One of them, by itself in a line, would leave it empty to the eye."""
    return not all(map(width, texts))


def _glued(before: str, after: str) -> bool:
    if before[-1] == _ZERO_WIDTH_SPACE:
        return False
    if after[0] in _NEVER_FIRST or before[0] in _NEVER_LAST or before[-1] in _NO_BREAK:
        return True
    if before[0] in GLUE or after[0] in GLUE or not (columns(before) and columns(after)):
        return True
    return not (_breaks_anywhere(before[0]) or _breaks_anywhere(after[0]))


def _breaks_anywhere(character: str) -> bool:
    """Of a script that puts no spaces between words; Korean puts them."""
    return _is_dense(character) or (is_wide(character) and not is_hangul(character))


def _is_dense(character: str) -> bool:
    """Thai, Lao, Tibetan, Burmese, Khmer."""
    return "\u0e00" <= character <= "\u109f" or "\u1780" <= character <= "\u17ff"


def _cost(before: str, after: str, language: str, small: Small, *, space: bool) -> int:
    shortened = _is_short(before)
    if _SENTENCE.search(before) and not shortened and not after[:1].islower():
        return SENTENCE
    if _CLAUSE.search(before) or not after:
        return CLAUSE
    if not space:
        return _cost_inside(before, after, language)
    if is_unspaced(language) and (_breaks_anywhere(before[-1]) or _breaks_anywhere(after[0])):
        return CLAUSE
    if (
        shortened
        or small.leans(before.lower())
        or (before[-1].isdigit() and _MEASURE.fullmatch(after))
    ):
        return POOR
    return PHRASE if small.begins(after.lower()) else WORD


def _is_short(word: str) -> bool:
    """Whether its full stop ends no sentence: what it shortens goes on behind it."""
    return bool(_SHORT.fullmatch(word.lstrip("\"'“‘«‹([").rstrip(_CLOSE)))


def _cost_inside(before: str, after: str, language: str) -> int:
    """Without a space, there is only the kind of the characters to go by."""
    last, following = before[-1], after[0]
    if (
        last.isdigit()
        or last in _NUMERALS
        or (_KATAKANA.match(last) and _KATAKANA.match(following))
    ):
        return POOR
    if last == _ZERO_WIDTH_SPACE:
        return WORD
    if is_unspaced(language) and not language.startswith("ja"):
        if following in _PARTICLES:
            return POOR
        return WORD if last in _PARTICLES or following in _LINKS else CHARACTER
    if _HIRAGANA.match(last) and not _HIRAGANA.match(following):
        return WORD  # a particle, or the end of a verb
    if _HIRAGANA.match(following) and not _HIRAGANA.match(last):
        return POOR
    return CHARACTER - (last in _CASES)


def _fitting(text: str, max_width: int) -> list[str]:
    """The text; what is wider than a line in pieces that are not."""
    if width(text) <= max_width:
        return [text]
    pieces, taken = [""], 0
    for cluster in clusters(text):
        taken += columns(cluster)
        if taken > max_width and pieces[-1].strip():
            pieces.append("")
            taken = columns(cluster)
        pieces[-1] += cluster
    return [piece.strip(" ") for piece in pieces if piece.strip(" ")]
