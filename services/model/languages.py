"""Every language by its canonical BCP-47 tag, its Whisper code and its English name.

The API speaks BCP-47 and keeps canonical tags; engines get their own code at the edge. `zh` is
Chinese in Simplified characters, whoever spells it zh-Hans or zh-CN; `zh-Hant` is another
language for all purposes here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import langcodes
from langcodes.tag_parser import LanguageTagError

from services.model.errors import Invalid


@dataclass(frozen=True, slots=True)
class Language:
    """`whisper` is None for what Whisper does not write down."""

    tag: str
    whisper: str | None
    name: str


_TABLE = (
    Language("af", "af", "Afrikaans"),
    Language("am", "am", "Amharic"),
    Language("ar", "ar", "Arabic"),
    Language("as", "as", "Assamese"),
    Language("az", "az", "Azerbaijani"),
    Language("ba", "ba", "Bashkir"),
    Language("be", "be", "Belarusian"),
    Language("bg", "bg", "Bulgarian"),
    Language("bn", "bn", "Bengali"),
    Language("bo", "bo", "Tibetan"),
    Language("br", "br", "Breton"),
    Language("bs", "bs", "Bosnian"),
    Language("ca", "ca", "Catalan"),
    Language("cs", "cs", "Czech"),
    Language("cy", "cy", "Welsh"),
    Language("da", "da", "Danish"),
    Language("de", "de", "German"),
    Language("el", "el", "Greek"),
    Language("en", "en", "English"),
    Language("es", "es", "Spanish"),
    Language("et", "et", "Estonian"),
    Language("eu", "eu", "Basque"),
    Language("fa", "fa", "Persian"),
    Language("fi", "fi", "Finnish"),
    Language("fil", "tl", "Tagalog"),
    Language("fo", "fo", "Faroese"),
    Language("fr", "fr", "French"),
    Language("gl", "gl", "Galician"),
    Language("gu", "gu", "Gujarati"),
    Language("ha", "ha", "Hausa"),
    Language("haw", "haw", "Hawaiian"),
    Language("he", "he", "Hebrew"),
    Language("hi", "hi", "Hindi"),
    Language("hr", "hr", "Croatian"),
    Language("ht", "ht", "Haitian Creole"),
    Language("hu", "hu", "Hungarian"),
    Language("hy", "hy", "Armenian"),
    Language("id", "id", "Indonesian"),
    Language("is", "is", "Icelandic"),
    Language("it", "it", "Italian"),
    Language("ja", "ja", "Japanese"),
    Language("jv", "jw", "Javanese"),
    Language("ka", "ka", "Georgian"),
    Language("kk", "kk", "Kazakh"),
    Language("km", "km", "Khmer"),
    Language("kn", "kn", "Kannada"),
    Language("ko", "ko", "Korean"),
    Language("la", "la", "Latin"),
    Language("lb", "lb", "Luxembourgish"),
    Language("ln", "ln", "Lingala"),
    Language("lo", "lo", "Lao"),
    Language("lt", "lt", "Lithuanian"),
    Language("lv", "lv", "Latvian"),
    Language("mg", "mg", "Malagasy"),
    Language("mi", "mi", "Maori"),
    Language("mk", "mk", "Macedonian"),
    Language("ml", "ml", "Malayalam"),
    Language("mn", "mn", "Mongolian"),
    Language("mr", "mr", "Marathi"),
    Language("ms", "ms", "Malay"),
    Language("mt", "mt", "Maltese"),
    Language("my", "my", "Burmese"),
    Language("ne", "ne", "Nepali"),
    Language("nl", "nl", "Dutch"),
    Language("nn", "nn", "Nynorsk"),
    Language("no", "no", "Norwegian"),
    Language("oc", "oc", "Occitan"),
    Language("pa", "pa", "Punjabi"),
    Language("pl", "pl", "Polish"),
    Language("ps", "ps", "Pashto"),
    Language("pt", "pt", "Portuguese"),
    Language("ro", "ro", "Romanian"),
    Language("ru", "ru", "Russian"),
    Language("sa", "sa", "Sanskrit"),
    Language("sd", "sd", "Sindhi"),
    Language("si", "si", "Sinhala"),
    Language("sk", "sk", "Slovak"),
    Language("sl", "sl", "Slovenian"),
    Language("sn", "sn", "Shona"),
    Language("so", "so", "Somali"),
    Language("sq", "sq", "Albanian"),
    Language("sr", "sr", "Serbian"),
    Language("su", "su", "Sundanese"),
    Language("sv", "sv", "Swedish"),
    Language("sw", "sw", "Swahili"),
    Language("ta", "ta", "Tamil"),
    Language("te", "te", "Telugu"),
    Language("tg", "tg", "Tajik"),
    Language("th", "th", "Thai"),
    Language("tk", "tk", "Turkmen"),
    Language("tr", "tr", "Turkish"),
    Language("tt", "tt", "Tatar"),
    Language("uk", "uk", "Ukrainian"),
    Language("ur", "ur", "Urdu"),
    Language("uz", "uz", "Uzbek"),
    Language("vi", "vi", "Vietnamese"),
    Language("yi", "yi", "Yiddish"),
    Language("yo", "yo", "Yoruba"),
    Language("yue", "yue", "Cantonese"),
    Language("zh", "zh", "Chinese"),
    Language("zh-Hant", None, "Traditional Chinese"),
)

LANGUAGES: Mapping[str, Language] = MappingProxyType({row.tag: row for row in _TABLE})

# Not valid tags, but what many people write; langcodes never sees them.
_ALIASES = {"jp": "ja", "cn": "zh"}

# Valid tags of other languages than most who write them mean: refused, with a hint.
_AMBIGUOUS = {
    "kr": "kr is Kanuri; write ko for Korean",
    "tw": "tw is Twi; write zh-Hant (or zh-TW) for Traditional Chinese",
}

# Country codes that are no languages.
_HINTS = {
    "cz": "cs for Czech",
    "dk": "da for Danish",
    "gr": "el for Greek",
    "ua": "uk for Ukrainian",
    "vn": "vi for Vietnamese",
    "us": "en for English",
    "gb": "en for English",
}

# The leading member of a macrolanguage stands for it, as NLLB's and ISO 639-3 codes name it.
_MEMBERS = {
    "als": "sq",
    "arb": "ar",
    "azj": "az",
    "cmn": "zh",
    "khk": "mn",
    "lvs": "lv",
    "nb": "no",
    "npi": "ne",
    "pbt": "ps",
    "pes": "fa",
    "plt": "mg",
    "swh": "sw",
    "uzn": "uz",
    "ydd": "yi",
    "zsm": "ms",
}

_BY_WHISPER = {row.whisper: row.tag for row in _TABLE if row.whisper}
_BY_NAME = {row.name.lower(): row.tag for row in _TABLE} | {
    "mandarin": "zh",
    "castilian": "es",
    "flemish": "nl",
    "haitian": "ht",
    "letzeburgesch": "lb",
    "moldavian": "ro",
    "moldovan": "ro",
    "myanmar": "my",
    "panjabi": "pa",
    "pushto": "ps",
    "sinhalese": "si",
    "valencian": "ca",
}


def _script(tag: langcodes.Language) -> str:
    script = tag.maximize().script or ""
    return "Kore" if script == "Hang" else script  # NLLB names the half of Korean's script


_BY_SCRIPT = {
    ((parsed := langcodes.Language.get(row.tag)).language, _script(parsed)): row.tag
    for row in _TABLE
}


def parse_language(tag: str, *, field: str) -> str:
    """The canonical tag of a language as somebody wrote it: a BCP-47 tag, a common slip such as
    jp, or the English name that Whisper uses. A region is dropped unless it tells the script.

    Raises Invalid, `unknown_language` or `ambiguous_language`, about `field`.
    """
    written = tag.strip().lower().replace("_", "-")
    if written in _AMBIGUOUS:
        raise Invalid(
            f"{_quoted(tag)} is ambiguous: {_AMBIGUOUS[written]}.",
            code="ambiguous_language",
            field=field,
        )
    language = _ALIASES.get(written) or _BY_NAME.get(written) or _by_script(written)
    if language is None:
        raise Invalid(_advice(tag, written), code="unknown_language", field=field)
    return language


def whisper_code(language: str) -> str | None:
    """Whisper's code of a canonical tag; None for what Whisper does not write down."""
    row = LANGUAGES.get(language)
    return row.whisper if row else None


def from_whisper(code: str) -> str:
    """The canonical tag of a Whisper code; a KeyError if Whisper got a code since."""
    return _BY_WHISPER[code]


def english_name(language: str) -> str:
    """The English name of a canonical tag."""
    return LANGUAGES[language].name


def script_of(language: str) -> str:
    """The ISO 15924 code of the script that a canonical tag is likely written in."""
    return _script(langcodes.Language.get(language))


def _by_script(written: str) -> str | None:
    """By language and likely script, for langcodes' own matching takes zh-TW and nb for none."""
    try:
        parsed = langcodes.Language.get(written)
    except LanguageTagError:
        return None
    if not parsed.is_valid() or not parsed.language or parsed.language == "und":
        return None
    macro = _MEMBERS.get(parsed.language)
    if macro:
        parsed = parsed.update_dict({"language": macro})
    return _BY_SCRIPT.get((parsed.language or "", _script(parsed)))


def _advice(tag: str, written: str) -> str:
    if written == "auto":
        return "Leave the language out to have it detected."
    hint = _HINTS.get(written)
    if hint:
        return f"{_quoted(tag)} is a country, not a language; write {hint}."
    return (
        f"{_quoted(tag)} is not a language that is known here; write a BCP-47 tag such as en, zh "
        "or pt. GET /v1/languages lists them."
    )


def _quoted(tag: str) -> str:
    return repr(tag if len(tag) <= 40 else tag[:40] + "…")
