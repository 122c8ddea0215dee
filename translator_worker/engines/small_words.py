"""The small words of languages, which tell them apart where they share a script; pure.

They are the commonest words that say little: no sentence of some length does without them.
"""

from __future__ import annotations

from collections.abc import Sequence

_SERBOCROATIAN = (
    "i u je na se da su za od sa koji koja koje ne kao ali bi biti ili što šta sve iz nije bio "
    "bila ih njegov njihov ja on ona mi oni ovo"
)
_MALAY = (
    "yang dan di ini itu dengan untuk dari pada tidak dalam akan ke oleh juga saya mereka kita "
    "telah sudah ada seperti atau dia kami"
)
_LISTED = {
    "ar": "في من على إلى أن هذا هذه التي الذي عن مع كان لا ما كل أو بين لم قد هو هي ذلك",
    "bg": "и в не на че с това по но от у за се ще са съм той тя бил беше или който да е при към",
    "bs": _SERBOCROATIAN,
    "ca": "el la els les de i que en un una és no es per amb del al com més però seu seva aquest "
    "aquesta són ha dels als",
    "cs": "a v na se je že s z do to i o jako ale po od za pro jsou byl byla bylo jeho její by "
    "který která které být mezi nebo když tak co jsem",
    "da": "og at det som en er af for den med på ikke til har de om et var jeg men han hun vi fra "
    "så kan når eller skal der sin blev",
    "de": "der die das und ist nicht ein eine einen einem einer zu den dem des mit von auf für "
    "sich auch es wie wird sind war hat haben ich wir sie er nach bei noch aber oder wenn dass "
    "als im am zum zur über unter in",
    "en": "the of and to is are was were that this with for from have has not you they what which "
    "would there been his her their we it be by on at as an but will can in a i he she am or",
    "es": "el la los las de y que en un una es no se por con para su del al como más pero lo sus "
    "le ha está son este esta fue muy ya también todos sin sobre o",
    "fa": "و در به از که این را با است برای آن یک خود تا بر هم شد می های ها بود",
    "fi": "ja on ei se että oli hän ovat mutta kun niin myös joka tai voi ole hänen minä olen tämä "
    "kuin sen sitä siitä mitä jos nyt",
    "fr": "le la les des du et est un une que qui dans pour pas sur avec ce cette il elle nous "
    "vous ils sont au aux par plus mais ou été ses son sa leur dont je ne se de en à l d qu c n j",
    "hr": _SERBOCROATIAN,
    "hu": "a az és hogy nem is egy van volt meg ez ki csak de mint vagy minden kell lesz nincs ezt "
    "azt lehet már még",
    "id": _MALAY + " adalah",
    "it": "il lo la i gli le di e che in un una è non si per con del della dei delle al alla sono "
    "come più ma nel nella anche questo questa ha suo sua da dal l d",
    "ms": _MALAY + " ialah adalah",
    "nl": "de het een en van is niet dat in op te zijn met voor die aan er ook als maar bij naar "
    "uit om door wordt werd heeft hebben ik wij ze hij was over onder",
    "no": "og at det som en er av for den med på ikke til har de om et var jeg men han hun vi fra "
    "så kan når eller skal der sin ble",
    "pl": "i w na nie z się do jest to że o jak ale co po od za przez przy dla są był była było "
    "ich jego jej tym tak czy lub oraz który która które być",
    "pt": "o a os as de e que em um uma não se por com para do da dos das no na mais mas ao foi "
    "são como seu sua ele ela está muito também pelo pela nos",
    "ro": "și de la în a o un cu pe nu este că din care pentru mai sunt ce se să le au fost fi al "
    "ale lui dar sau prin după",
    "ru": "и в не на что с как это по но из у за от так же для мы они его она был была было к а о "
    "все быть или который",
    "sk": "a v na sa je že s z do to i o ako ale po od za pre sú bol bola bolo jeho jej by ktorý "
    "ktorá ktoré byť medzi alebo keď tak čo som",
    "sl": "in v je na se da so za od s z ki ne to kot ali pa bi biti kar vse iz po ni bil bila jih "
    "tudi",
    "sr": _SERBOCROATIAN
    + " и у је на се да су за од са који која које не као али би бити или што шта све из није био "
    "била њихов ја он она ми они ово",
    "sv": "och att det som en är av för den med på inte till har de om ett var jag men han hon vi "
    "från så kan när eller ska under där sin",
    "tr": "ve bir bu da de için ile olarak çok daha ne gibi olan kadar var o değil ama en her ben "
    "onun sonra olduğu ki",
    "uk": "і в не на що з як це по але із у за від так же для ми вони його вона був була було до "
    "та й всі бути або який є",
    "vi": "là của và có không được cho một những các trong với này đã người từ đó khi để như tôi "
    "cũng về ra vào",
}
_SMALL = {language: frozenset(words.split()) for language, words in _LISTED.items()}

# Too near to each other to be told apart so.
_NEAR = (
    {"da", "fo", "nn", "no", "sv"}, {"bs", "hr", "sl", "sr"}, {"id", "jv", "ms", "su"},
    {"cs", "sk"}, {"es", "gl"}, {"gl", "pt"}, {"ca", "es", "oc"}, {"fr", "oc"},
    {"af", "nl"}, {"de", "lb"}, {"be", "ru"}, {"be", "uk"}, {"bg", "mk"},
)  # fmt: skip
_ENOUGH = 3  # small words of another language
_SURE = 4  # of them for one that the wanted language may have as well, or without its own list


def reads_like(words: Sequence[str], other: str, wanted: str) -> bool:
    """Whether lower-case words seem to be of the `other` language and not of the one wanted: by
    the small words that only one of them has. Without a list of the wanted one, every third word
    has to be a small one of the other."""
    theirs = _SMALL.get(other)
    if theirs is None or any(other in near and wanted in near for near in _NEAR):
        return False
    own = _SMALL.get(wanted)
    found = [word for word in words if word in theirs and word not in (own or ())]
    if len(found) < _ENOUGH or len(set(found)) < 2:
        return False
    if own is None:
        return len(found) >= _SURE and 3 * len(found) >= len(words)
    return _SURE * sum(word in own and word not in theirs for word in words) <= len(found)
