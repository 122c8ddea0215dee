"""A translator of two hops: what the catalog file may say of it, and what follows."""

from __future__ import annotations

import pytest

from services.model.errors import Invalid
from services.models_folder import about_installed, facts, is_here, load_catalog
from services.settings import Settings

HOPS = """
[[model]]
name = "de-zh"
kind = "translate"
engine = "pivot"
pivot = "en-US"
hops = ["into", "out"]

[[model]]
name = "into"
kind = "translate"
engine = "ctranslate2"
pairs = [["de", "en"], ["fr", "en"], ["fr", "de"]]
memory_mb = 300
licence = "CC-BY-4.0"

[[model]]
name = "out"
kind = "translate"
engine = "ctranslate2"
languages = ["en", "de", "zh"]
memory_mb = 500
size_mb = 7
licence = "Apache-2.0"
"""


@pytest.fixture
def settings_of(tmp_path):
    def of(text: str, **more) -> Settings:
        path = tmp_path / "catalog.toml"
        path.write_text(text, encoding="utf-8")
        return Settings(catalog_file=path, models_dir=tmp_path / "models", **more)

    return of


def install(settings: Settings, *names: str) -> None:
    for name in names:
        (settings.models_folder / name).mkdir(parents=True, exist_ok=True)
        (settings.models_folder / name / "model.bin").touch()


def test_what_two_hops_serve_together_follows_from_them(settings_of) -> None:
    entry = load_catalog(settings_of(HOPS)).entries["de-zh"]
    assert entry.pairs == [("de", "zh"), ("fr", "de"), ("fr", "zh")]
    assert (entry.memory_mb, entry.size_mb, entry.licence) == (800, 7, "CC-BY-4.0 and Apache-2.0")
    assert not entry.serves("de", "en")  # one hop alone does that


def test_a_straight_way_is_chosen_before_it_if_the_file_names_it_first(settings_of) -> None:
    catalog = load_catalog(settings_of(HOPS))
    assert catalog.translator("fr", "de").name == "de-zh"
    straight = HOPS.replace("[[model]]", "", 1)
    later = straight[straight.index("[[model]]") :] + HOPS[: HOPS.index('[[model]]\nname = "into"')]
    assert load_catalog(settings_of(later)).translator("fr", "de").name == "into"


def test_a_machine_has_it_only_with_both_hops(settings_of) -> None:
    settings = settings_of(HOPS)
    entry = load_catalog(settings).entries["de-zh"]
    install(settings, "into")
    assert not is_here(entry, settings)
    assert not about_installed(entry, settings).installed
    install(settings, "out")
    assert is_here(entry, settings)
    assert about_installed(entry, settings).installed
    told = facts(entry, settings)
    assert (told["pivot"], told["hops"]) == ("en", ["into", "out"])


def test_one_model_may_be_both_hops_and_is_counted_once(settings_of) -> None:
    text = HOPS.replace('["into", "out"]', '["out", "out"]')
    entry = load_catalog(settings_of(text)).entries["de-zh"]
    assert entry.pairs == [("de", "zh"), ("zh", "de")]
    assert entry.memory_mb == 500


def test_the_file_may_keep_some_of_the_pairs(settings_of) -> None:
    text = HOPS.replace('pivot = "en-US"', 'pivot = "en"\npairs = [["fr", "cn"]]')
    assert load_catalog(settings_of(text)).entries["de-zh"].pairs == [("fr", "zh")]


def test_it_is_for_commercial_use_only_if_both_hops_are(settings_of) -> None:
    text = HOPS.replace("Apache-2.0", "CC-BY-NC-4.0")
    catalog = load_catalog(settings_of(text))
    assert not catalog.entries["de-zh"].commercial
    assert catalog.translator("de", "zh") is None
    assert catalog.translator("de", "zh", ["de-zh"]).name == "de-zh"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('["into", "out"]', '["into", "nothing"]', "no model 'nothing'"),
        ('["into", "out"]', '["into"]', "two hops"),
        ('["into", "out"]', '["into", "out", "out"]', "two hops"),
        ('["into", "out"]', '["into", "small"]', "small cannot be a hop"),
        ('["into", "out"]', '["de-zh", "out"]', "no model 'de-zh'"),
        ('["into", "out"]', '["out", "into"]', "do not meet in en"),
        ('pivot = "en-US"', "", "through the language"),
        ('pivot = "en-US"', 'pivot = "klingon"', "klingon"),
        ('pivot = "en-US"', 'pivot = "ja"', "do not meet in ja"),
        ('pivot = "en-US"', 'pivot = "en"\npairs = [["de", "ja"]]', "cannot serve"),
        ('engine = "pivot"', 'engine = "ctranslate2"', "no other engine has any"),
        ('hops = ["into", "out"]', "", "two hops"),
    ],
)
def test_what_makes_no_sense_is_told(settings_of, old, new, reason) -> None:
    with pytest.raises(Invalid, match=reason) as refused:
        load_catalog(settings_of(HOPS.replace(old, new, 1)))
    assert refused.value.code == "bad_catalog_file"
