"""Tells a translation that is not in its language: by its letters, else by its small words; pure.

What may stand in any language is left out: names, numbers, links, placeholders. Of what is left
there has to be enough; a short text is never judged.
"""

from __future__ import annotations

import re
import unicodedata

from services.model.scripts import is_same_speech
from services.spans import spans_in
from translator_worker.engines.letters import han_in, kana_in, own_weight, weight
from translator_worker.engines.small_words import reads_like
from translator_worker.engines.suspicions import is_unchanged

_ENOUGH = 15  # bytes of letters: three words, or five Chinese characters
_OWN = 0.25  # less than this of the letters in the script of the language is too little
_WORD = re.compile(r"[^\W\d_]+")
_LINGUA_FRANCA = "en"  # which models fall into, whatever they were given

# What Chinese is not written without for long, and Japanese has no use for.
_CHINESE = frozenset("你們這她嗎呢吧沒說還麼很哪")
_CHARSETS = {"zh": "gb2312", "zh-Hant": "cp950", "yue": "big5hkscs", "ja": "cp932"}
_KANA = 4  # in Chinese there may be some of a name


def words_of(text: str) -> list[str]:
    """The words that are of some language, in lower case: what has a capital may be a name, but
    for the first, which begins a sentence."""
    kept, at = [], 0
    for span in spans_in(text):
        kept.append(text[at : span.start])
        at = span.end
    words = _WORD.findall(unicodedata.normalize("NFKC", " ".join([*kept, text[at:]])))
    return [
        word.lower()
        for number, word in enumerate(words)
        if word.islower() or not word.upper().isupper() or (number == 0 and word.istitle())
    ]


def is_untranslated(text: str, translation: str, source: str, target: str) -> bool:
    """Whether words came back as they were, and are too many for a name or a title."""
    if is_same_speech(source, target) or not is_unchanged(text, translation, source, target):
        return False
    return weight("".join(words_of(translation))) >= _ENOUGH


def is_other_language(translation: str, source: str, target: str) -> bool:
    """Whether hardly any of it is in the letters of the target, or reads as the source does, or
    as English."""
    words = words_of(translation)
    letters = "".join(words)
    if weight(letters) < _ENOUGH:
        return False
    if own_weight(letters, target) < _OWN * weight(letters) or _in_other_han(letters, target):
        return True
    others = {source, _LINGUA_FRANCA} - {target}
    return any(reads_like(words, other, target) for other in others)


def _in_other_han(text: str, target: str) -> bool:
    """Of Japanese, Chinese in Simplified and in Traditional characters: whether it is another."""
    charset = _CHARSETS.get(target)
    if charset is None:
        return False
    han, kana = han_in(text), kana_in(text)
    strange = sum(not _is_in(each, charset) for each in han)
    if target == "ja":
        return not kana and bool(strange or _CHINESE.intersection(han))
    japanese = len(kana) >= _KANA and len(kana) >= len(han)
    return japanese or (strange >= 3 and 5 * strange >= len(han))


def _is_in(character: str, charset: str) -> bool:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
