"""Every language by its canonical BCP-47 tag, its English name, and what engines call it.

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
    """What Whisper, NLLB, M2M100 and MADLAD-400 call it: None for what one does not know. M2M100
    writes Chinese in Simplified characters only; Whisper has one code for both scripts."""

    tag: str
    name: str
    whisper: str | None
    nllb: str | None
    m2m: str | None
    madlad: str | None


_TABLE = (
    Language("af", "Afrikaans", "af", "afr_Latn", "af", "af"),
    Language("am", "Amharic", "am", "amh_Ethi", "am", "am"),
    Language("ar", "Arabic", "ar", "arb_Arab", "ar", "ar"),
    Language("as", "Assamese", "as", "asm_Beng", None, "as"),
    Language("az", "Azerbaijani", "az", "azj_Latn", "az", "az"),
    Language("ba", "Bashkir", "ba", "bak_Cyrl", "ba", "ba"),
    Language("be", "Belarusian", "be", "bel_Cyrl", "be", "be"),
    Language("bg", "Bulgarian", "bg", "bul_Cyrl", "bg", "bg"),
    Language("bn", "Bengali", "bn", "ben_Beng", "bn", "bn"),
    Language("bo", "Tibetan", "bo", "bod_Tibt", None, "bo"),
    Language("br", "Breton", "br", None, "br", "br"),
    Language("bs", "Bosnian", "bs", "bos_Latn", "bs", "bs"),
    Language("ca", "Catalan", "ca", "cat_Latn", "ca", "ca"),
    Language("cs", "Czech", "cs", "ces_Latn", "cs", "cs"),
    Language("cy", "Welsh", "cy", "cym_Latn", "cy", "cy"),
    Language("da", "Danish", "da", "dan_Latn", "da", "da"),
    Language("de", "German", "de", "deu_Latn", "de", "de"),
    Language("el", "Greek", "el", "ell_Grek", "el", "el"),
    Language("en", "English", "en", "eng_Latn", "en", "en"),
    Language("es", "Spanish", "es", "spa_Latn", "es", "es"),
    Language("et", "Estonian", "et", "est_Latn", "et", "et"),
    Language("eu", "Basque", "eu", "eus_Latn", None, "eu"),
    Language("fa", "Persian", "fa", "pes_Arab", "fa", "fa"),
    Language("fi", "Finnish", "fi", "fin_Latn", "fi", "fi"),
    Language("fil", "Tagalog", "tl", "tgl_Latn", "tl", "fil"),
    Language("fo", "Faroese", "fo", "fao_Latn", None, "fo"),
    Language("fr", "French", "fr", "fra_Latn", "fr", "fr"),
    Language("gl", "Galician", "gl", "glg_Latn", "gl", "gl"),
    Language("gu", "Gujarati", "gu", "guj_Gujr", "gu", "gu"),
    Language("ha", "Hausa", "ha", "hau_Latn", "ha", "ha"),
    Language("haw", "Hawaiian", "haw", None, None, "haw"),
    Language("he", "Hebrew", "he", "heb_Hebr", "he", "he"),
    Language("hi", "Hindi", "hi", "hin_Deva", "hi", "hi"),
    Language("hr", "Croatian", "hr", "hrv_Latn", "hr", "hr"),
    Language("ht", "Haitian Creole", "ht", "hat_Latn", "ht", "ht"),
    Language("hu", "Hungarian", "hu", "hun_Latn", "hu", "hu"),
    Language("hy", "Armenian", "hy", "hye_Armn", "hy", "hy"),
    Language("id", "Indonesian", "id", "ind_Latn", "id", "id"),
    Language("is", "Icelandic", "is", "isl_Latn", "is", "is"),
    Language("it", "Italian", "it", "ita_Latn", "it", "it"),
    Language("ja", "Japanese", "ja", "jpn_Jpan", "ja", "ja"),
    Language("jv", "Javanese", "jw", "jav_Latn", "jv", "jv"),
    Language("ka", "Georgian", "ka", "kat_Geor", "ka", "ka"),
    Language("kk", "Kazakh", "kk", "kaz_Cyrl", "kk", "kk"),
    Language("km", "Khmer", "km", "khm_Khmr", "km", "km"),
    Language("kn", "Kannada", "kn", "kan_Knda", "kn", "kn"),
    Language("ko", "Korean", "ko", "kor_Hang", "ko", "ko"),
    Language("la", "Latin", "la", None, None, "la"),
    Language("lb", "Luxembourgish", "lb", "ltz_Latn", "lb", "lb"),
    Language("ln", "Lingala", "ln", "lin_Latn", "ln", "ln"),
    Language("lo", "Lao", "lo", "lao_Laoo", "lo", "lo"),
    Language("lt", "Lithuanian", "lt", "lit_Latn", "lt", "lt"),
    Language("lv", "Latvian", "lv", "lvs_Latn", "lv", "lv"),
    Language("mg", "Malagasy", "mg", "plt_Latn", "mg", "mg"),
    Language("mi", "Maori", "mi", "mri_Latn", None, "mi"),
    Language("mk", "Macedonian", "mk", "mkd_Cyrl", "mk", "mk"),
    Language("ml", "Malayalam", "ml", "mal_Mlym", "ml", "ml"),
    Language("mn", "Mongolian", "mn", "khk_Cyrl", "mn", "mn"),
    Language("mr", "Marathi", "mr", "mar_Deva", "mr", "mr"),
    Language("ms", "Malay", "ms", "zsm_Latn", "ms", "ms"),
    Language("mt", "Maltese", "mt", "mlt_Latn", None, "mt"),
    Language("my", "Burmese", "my", "mya_Mymr", "my", "my"),
    Language("ne", "Nepali", "ne", "npi_Deva", "ne", "ne"),
    Language("nl", "Dutch", "nl", "nld_Latn", "nl", "nl"),
    Language("nn", "Nynorsk", "nn", "nno_Latn", None, "nn"),
    Language("no", "Norwegian", "no", "nob_Latn", "no", "no"),
    Language("oc", "Occitan", "oc", "oci_Latn", "oc", "oc"),
    Language("pa", "Punjabi", "pa", "pan_Guru", "pa", "pa"),
    Language("pl", "Polish", "pl", "pol_Latn", "pl", "pl"),
    Language("ps", "Pashto", "ps", "pbt_Arab", "ps", "ps"),
    Language("pt", "Portuguese", "pt", "por_Latn", "pt", "pt"),
    Language("ro", "Romanian", "ro", "ron_Latn", "ro", "ro"),
    Language("ru", "Russian", "ru", "rus_Cyrl", "ru", "ru"),
    Language("sa", "Sanskrit", "sa", "san_Deva", None, "sa"),
    Language("sd", "Sindhi", "sd", "snd_Arab", "sd", "sd"),
    Language("si", "Sinhala", "si", "sin_Sinh", "si", "si"),
    Language("sk", "Slovak", "sk", "slk_Latn", "sk", "sk"),
    Language("sl", "Slovenian", "sl", "slv_Latn", "sl", "sl"),
    Language("sn", "Shona", "sn", "sna_Latn", None, "sn"),
    Language("so", "Somali", "so", "som_Latn", "so", "so"),
    Language("sq", "Albanian", "sq", "als_Latn", "sq", "sq"),
    Language("sr", "Serbian", "sr", "srp_Cyrl", "sr", "sr"),
    Language("su", "Sundanese", "su", "sun_Latn", "su", "su"),
    Language("sv", "Swedish", "sv", "swe_Latn", "sv", "sv"),
    Language("sw", "Swahili", "sw", "swh_Latn", "sw", "sw"),
    Language("ta", "Tamil", "ta", "tam_Taml", "ta", "ta"),
    Language("te", "Telugu", "te", "tel_Telu", None, "te"),
    Language("tg", "Tajik", "tg", "tgk_Cyrl", None, "tg"),
    Language("th", "Thai", "th", "tha_Thai", "th", "th"),
    Language("tk", "Turkmen", "tk", "tuk_Latn", None, "tk"),
    Language("tr", "Turkish", "tr", "tur_Latn", "tr", "tr"),
    Language("tt", "Tatar", "tt", "tat_Cyrl", None, "tt"),
    Language("uk", "Ukrainian", "uk", "ukr_Cyrl", "uk", "uk"),
    Language("ur", "Urdu", "ur", "urd_Arab", "ur", "ur"),
    Language("uz", "Uzbek", "uz", "uzn_Latn", "uz", "uz"),
    Language("vi", "Vietnamese", "vi", "vie_Latn", "vi", "vi"),
    Language("yi", "Yiddish", "yi", "ydd_Hebr", "yi", "yi"),
    Language("yo", "Yoruba", "yo", "yor_Latn", "yo", "yo"),
    Language("yue", "Cantonese", "yue", "yue_Hant", None, None),
    Language("zh", "Chinese", "zh", "zho_Hans", "zh", "zh"),
    Language("zh-Hant", "Traditional Chinese", "zh", "zho_Hant", None, "zh_Hant"),
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

# The leading member of a macrolanguage stands for it, as NLLB's codes name it.
_MEMBERS = {"cmn": "zh", "nb": "no"} | {
    row.nllb.partition("_")[0]: row.tag for row in _TABLE if row.nllb
}

_BY_WHISPER = {row.whisper: row.tag for row in reversed(_TABLE) if row.whisper}  # zh is zh first
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
    """Whisper's code of a canonical tag; None for a language that it does not hear."""
    row = LANGUAGES.get(language)
    return row.whisper if row else None


def from_whisper(code: str) -> str:
    """The canonical tag of a Whisper code; a KeyError if Whisper got a code since."""
    return _BY_WHISPER[code]


def nllb_code(language: str) -> str | None:
    """NLLB's code of a canonical tag, such as zho_Hans; None for what NLLB does not know."""
    row = LANGUAGES.get(language)
    return row.nllb if row else None


def m2m_code(language: str) -> str | None:
    """M2M100's code of a canonical tag, that of its `__xx__` tokens; None if it has none."""
    row = LANGUAGES.get(language)
    return row.m2m if row else None


def madlad_code(language: str) -> str | None:
    """MADLAD-400's code of a canonical tag, that of its `<2xx>` tokens; None if it has none."""
    row = LANGUAGES.get(language)
    return row.madlad if row else None


def marian_codes(language: str) -> list[str]:
    """What Marian models of several targets may call a canonical tag in their `>>xxx<<` tokens,
    the most exact first; which of them a model knows stands in its vocabulary."""
    row = LANGUAGES.get(language)
    if row is None:
        return []
    if row.tag == "zh-Hant":
        return ["cmn_Hant", "zho_Hant"]
    if row.tag == "zh":
        return ["cmn_Hans", "zho_Hans", "cmn", "zho", "zh"]
    exact = row.nllb or f"{_alpha3(language)}_{script_of(language)}"
    three = exact.partition("_")[0]
    return list(dict.fromkeys([exact, three, _alpha3(language), language]))


def english_name(language: str) -> str:
    """The English name of a canonical tag."""
    return LANGUAGES[language].name


def script_of(language: str) -> str:
    """The ISO 15924 code of the script that a canonical tag is likely written in."""
    return _script(langcodes.Language.get(language))


def _alpha3(language: str) -> str:
    return langcodes.Language.get(language).to_alpha3()


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
