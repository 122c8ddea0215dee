"""The small words by which a phrase is known to begin, and those that no line should end with."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Small(NamedTuple):
    """Words of one language, in lower case."""

    conjunctions: frozenset[str]
    prepositions: frozenset[str]
    articles: frozenset[str]

    def begins(self, word: str) -> bool:
        """Whether a line breaks well before this word."""
        return word in self.conjunctions or word in self.prepositions

    def leans(self, word: str) -> bool:
        """Whether this word belongs to the one behind it."""
        return word in self.articles or word in self.prepositions or word in self.conjunctions


def _small(conjunctions: str, prepositions: str, articles: str) -> Small:
    return Small(*(frozenset(each.split()) for each in (conjunctions, prepositions, articles)))


NONE = _small("", "", "")
SMALL: Mapping[str, Small] = MappingProxyType(
    {
        "en": _small(
            "and but or nor so because although while when where if unless until since than that "
            "which who whose",
            "about above after against among around at before behind below beside between by for "
            "from in into near of on onto over through to toward under until upon with without",
            "the a an my your his her its our their this these those every each no very i he she "
            "we they who",
        ),
        "de": _small(
            "und aber oder denn sondern weil dass ob wenn als obwohl während damit bevor nachdem "
            "sobald wie wo",
            "an auf aus bei bis durch für gegen hinter im in ins mit nach neben ohne seit um unter "
            "über am vom von vor zu zum zur zwischen",
            "der die das den dem des ein eine einen einem einer eines kein keine mein meine dein "
            "sein seine ihr ihre unser unsere dieser diese dieses jeder jede jedes sehr ich er sie "
            "wir",
        ),
        "fr": _small(
            "et mais ou donc ni car que qui quand si comme lorsque puisque parce dont",
            "à après avant avec chez contre dans de depuis des du en entre par pendant pour sans "
            "sous sur vers au aux",
            "le la les un une ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre "
            "vos leur leurs très je tu il elle on nous ils elles ne",
        ),
        "es": _small(
            "y e o u pero sino aunque porque que si cuando como donde mientras",
            "a al ante bajo con contra de del desde en entre hacia hasta para por sin sobre tras",
            "el la los las un una unos unas mi mis tu tus su sus este esta estos estas muy yo él "
            "no se",
        ),
        "it": _small(
            "e ed o ma però perché che se quando come dove mentre",
            "a ad al alla con da dal dalla di del della dei delle in nel nella per su sul sulla "
            "tra fra senza",
            "il lo la i gli le un uno una mio mia suo sua questo questa molto non si",
        ),
        "pt": _small(
            "e ou mas porém porque que se quando como onde enquanto",
            "a ao à com contra da das de desde do dos em entre na nas no nos para pela pelo por "
            "sem sob sobre até",
            "o os as um uma uns umas meu minha seu sua este esta esse essa muito não eu ele ela",
        ),
        "nl": _small(
            "en maar of want omdat dat als toen terwijl hoewel zodat die",
            "aan achter bij door in met na naar naast om onder op over sinds te tegen tot tussen "
            "uit van voor zonder",
            "de het een mijn jouw zijn haar ons onze hun deze dit elk heel ik hij zij wij",
        ),
        "ru": _small(
            "и а но или что чтобы если когда как где потому хотя который которая которые",
            "без в во для до за из к ко между на над о об от перед по под при про с со через у",
            "мой моя твой его её наш ваш их этот эта это эти каждый очень не",
        ),
    }
)


def small_words(language: str) -> Small:
    """Those of a language; none where it is not known, or writes without spaces."""
    return SMALL.get(language.partition("-")[0], NONE)
