"""Which model is taken when nobody or somebody names one."""

from __future__ import annotations

import pytest

from services.model.catalog import DEMO, STUBS, WHISPER, Catalog
from services.model.errors import Invalid
from services.models_folder import load_catalog, locate
from services.settings import Settings


@pytest.fixture
def settings_of(tmp_path):
    """Settings with an empty models folder, unless a test fills it."""

    def make(**changes) -> Settings:
        return Settings(models_dir=tmp_path / "models", **changes)

    return make


@pytest.fixture
def installed(tmp_path):
    """Puts an empty model into the models folder."""

    def make(location: str) -> None:
        folder = tmp_path / "models" / location
        folder.mkdir(parents=True)
        (folder / "model.bin").touch()

    return make


@pytest.fixture
def catalog_file(tmp_path):
    def write(text: str):
        path = tmp_path / "catalog.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_without_a_model_the_answer_is_the_one_command_to_run(settings_of) -> None:
    with pytest.raises(Invalid, match="fanscribe up --demo-models") as refused:
        load_catalog(settings_of()).transcriber(None)
    assert refused.value.code == "no_model"


def test_an_unknown_model_is_refused_with_the_known_ones(settings_of) -> None:
    with pytest.raises(Invalid, match="large-v3") as refused:
        load_catalog(settings_of()).transcriber("huge")
    assert refused.value.code == "unknown_model"


def test_a_translator_does_not_transcribe(settings_of) -> None:
    catalog = load_catalog(settings_of(demo_models=True))
    with pytest.raises(Invalid, match="nmt-demo"):
        catalog.transcriber("nmt-demo")


def test_a_model_that_is_not_here_can_still_be_named(settings_of) -> None:
    assert load_catalog(settings_of()).transcriber("small").name == "small"


def test_the_setting_wins_over_demo_over_installed_over_stub(settings_of, installed) -> None:
    installed("Systran/faster-whisper-base")
    every = {"stub_models": True, "demo_models": True}
    chosen = [
        load_catalog(settings_of(**changes)).transcriber(None).name
        for changes in (
            {**every, "transcribe_model": "medium"},
            every,
            {"stub_models": True},
        )
    ]
    assert chosen == ["medium", "whisper-demo", "base"]


def test_demo_and_stub_models_are_offered_only_when_asked_for(settings_of) -> None:
    plain = load_catalog(settings_of())
    assert [plain.entry(name) for name in ("whisper-demo", "nmt-demo", "stub-nmt")] == [None] * 3
    assert plain.translator("en", "zh") is None
    assert plain.served("en") == []


def test_the_demo_translates_what_its_card_says_and_nothing_else() -> None:
    catalog = Catalog(DEMO)
    assert catalog.served("en") == ["de", "ja", "zh"]
    assert catalog.served("zh") == ["de", "en", "ja"]
    assert catalog.served("ja") == ["de", "en", "zh"]
    assert catalog.served("de") == ["en", "ja", "zh"]
    assert catalog.served("fr") == []
    assert catalog.translator("zh", "zh-Hant") is None


def test_a_stub_translates_everything_but_a_language_into_itself() -> None:
    catalog = Catalog(STUBS)
    assert catalog.translator("yue", "zh-Hant") is not None
    assert catalog.translator("zh", "zh") is None


def test_whisper_hears_what_it_has_a_code_for() -> None:
    by_name = {entry.name: entry for entry in WHISPER}
    assert by_name["large-v3"].hears("yue")
    assert not by_name["large-v3"].hears("zh-Hant")
    assert not by_name["distil-large-v3"].hears("zh")
    assert not DEMO[1].hears("en")


def test_models_are_found_by_location_or_by_name(settings_of, installed) -> None:
    installed("turbo")
    found = load_catalog(settings_of()).transcriber(None)
    assert found.name == "turbo"
    assert locate(found, settings_of()) is not None
    assert locate(STUBS[0], settings_of()) is None


def test_a_catalog_file_adds_models_and_changes_known_ones(settings_of, catalog_file) -> None:
    path = catalog_file(
        """
        [[model]]
        name = "ours"
        kind = "translate"
        engine = "ctranslate2"
        location = "ours"
        pairs = [["english", "jp"]]

        [[model]]
        name = "tiny"
        memory_mb = 90
        """
    )
    catalog = load_catalog(settings_of(catalog_file=path))
    assert catalog.served("en") == ["ja"]
    tiny = catalog.entry("tiny")
    assert tiny is not None
    assert (tiny.memory_mb, tiny.licence) == (90, "MIT")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[model]", "catalog.toml"),
        ('[[model]]\nname = "x"', "kind"),
        ('[[model]]\nname = "tiny"\nmemory = 3', "no memory"),
        ('[[model]]\nname = "tiny"\nlanguages = ["kr"]', "ko"),
        ("model = 3", "catalog.toml"),
        ("model = [3]", "catalog.toml"),
    ],
)
def test_a_bad_catalog_file_says_what_to_mend(settings_of, catalog_file, text, reason) -> None:
    with pytest.raises(Invalid, match=reason) as refused:
        load_catalog(settings_of(catalog_file=catalog_file(text)))
    assert refused.value.code == "bad_catalog_file"


def test_a_missing_catalog_file_is_named(settings_of, tmp_path) -> None:
    with pytest.raises(Invalid, match=r"gone\.toml"):
        load_catalog(settings_of(catalog_file=tmp_path / "gone.toml"))
