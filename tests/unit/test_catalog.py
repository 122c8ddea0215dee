"""Which model is taken when nobody or somebody names one."""

from __future__ import annotations

import pytest

from services.model.catalog import DEMO, SCRIPTS, STUBS, WHISPER, Catalog, is_hub_id
from services.model.errors import Invalid
from services.model_lock import ModelLock, hashed, write_lock
from services.models_folder import About, about_installed, load_catalog, locate, own_catalog
from services.settings import Settings, load


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
    with pytest.raises(Invalid, match="fanscribe models pull small") as refused:
        load_catalog(settings_of()).transcriber(None)
    assert refused.value.code == "no_model"


def test_an_unknown_model_is_refused_with_the_known_ones(settings_of) -> None:
    with pytest.raises(Invalid, match="large-v3") as refused:
        load_catalog(settings_of()).transcriber("huge")
    assert refused.value.code == "unknown_model"


def test_every_model_that_faster_whisper_knows_by_name_is_known_here() -> None:
    from faster_whisper.utils import _MODELS

    catalog = Catalog(WHISPER)
    found = {name: catalog.entry(name) for name in _MODELS}
    assert {name: entry and entry.hub_id for name, entry in found.items()} == _MODELS
    ears = {name: entry.languages for name, entry in found.items() if entry}
    assert {name for name, languages in ears.items() if languages == ["en"]} == {
        name for name in _MODELS if name.endswith(".en") or name.startswith("distil-")
    }


@pytest.mark.parametrize(
    ("compute_type", "memory_mb"),
    [
        ("default", 2398),
        ("float32", 2398),
        ("int8", 1234),
        ("float16", 988),
        ("int8_float16", 744),
    ],
)
def test_the_memory_of_a_model_goes_by_how_it_is_computed(
    settings_of, catalog_file, compute_type, memory_mb
) -> None:
    entry = load_catalog(settings_of(compute_type=compute_type)).transcriber("small")
    assert entry.memory_mb == memory_mb
    path = catalog_file('[[model]]\nname = "small"\nmemory_mb = 700')
    settings = settings_of(compute_type=compute_type, catalog_file=path)
    assert load_catalog(settings).transcriber("small").memory_mb == 700


@pytest.mark.parametrize(
    ("compute_type", "peaks"),
    [
        (
            "default",
            {"tiny": 537, "base": 763, "small": 2215, "distil-large-v2": 6648, "turbo": 7120},
        ),
        (
            "int8",
            {
                "tiny": 425,
                "base": 579,
                "small": 1121,
                "distil-large-v2": 2026,
                "medium": 2508,
                "turbo": 2179,
            },
        ),
    ],
)
def test_no_model_was_measured_to_take_more_on_a_cpu_than_the_catalog_says(
    settings_of, compute_type, peaks
) -> None:
    catalog = load_catalog(settings_of(compute_type=compute_type))
    for model, peak in peaks.items():
        assert peak <= catalog.transcriber(model).memory_mb <= peak + 700


def test_an_alias_means_its_model_unless_another_has_that_name() -> None:
    turbo = next(entry for entry in WHISPER if entry.name == "turbo")
    own = turbo.model_copy(update={"name": "large-v3-turbo", "aliases": []})
    assert Catalog(WHISPER).transcriber("large-v3-turbo") is turbo
    assert Catalog([*WHISPER, own]).transcriber("large-v3-turbo") is own
    assert Catalog(WHISPER, ["large-v3-turbo", "turbo"]).offered == [turbo]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("Systran/faster-whisper-tiny.en", True),
        ("distil-whisper/distil-large-v3.5-ct2", True),
        ("small", False),
        ("a/b/c", False),
        ("../b", False),
        ("a/..", False),
        ("a/b..c", False),
        ("/b", False),
        ("ä/b", False),
    ],
)
def test_a_hub_id_is_an_owner_and_a_name(text, is_one) -> None:
    assert is_hub_id(text) is is_one


@pytest.mark.parametrize(
    ("licence", "commercial"),
    [
        ("MIT", True),
        ("Apache-2.0", True),
        ("", True),
        ("cc-by-sa-4.0", True),
        ("cc-by-nc-4.0", False),
        ("CC BY-NC-SA 3.0", False),
        ("Non-Commercial use", False),
    ],
)
def test_a_licence_says_whether_it_is_for_commercial_use(licence, commercial) -> None:
    assert WHISPER[0].model_copy(update={"licence": licence}).commercial is commercial


NONCOMMERCIAL = """
    [[model]]
    name = "ours"
    kind = "transcribe"
    engine = "faster-whisper"
    location = "ours"
    licence = "CC-BY-NC-4.0"
    """


def test_a_model_that_is_not_for_commercial_use_is_no_default(settings_of, catalog_file) -> None:
    path = catalog_file(NONCOMMERCIAL)
    catalog = load_catalog(settings_of(catalog_file=path))
    assert catalog.offered == [SCRIPTS]
    assert catalog.transcriber("ours").licence == "CC-BY-NC-4.0"
    with pytest.raises(Invalid, match="FANSCRIBE_ALLOW_NONCOMMERCIAL") as refused:
        load_catalog(settings_of(catalog_file=path, transcribe_model="ours"))
    assert refused.value.code == "noncommercial_default"
    allowing = settings_of(catalog_file=path, allow_noncommercial=True)
    assert load_catalog(allowing).transcriber(None).name == "ours"


def test_the_licence_of_the_hub_holds_where_the_catalog_has_none(
    settings_of, catalog_file, installed
) -> None:
    installed("ours")
    lock = ModelLock(hub_id="a/b", licence="cc-by-nc-4.0", files=[])
    settings = settings_of(
        catalog_file=catalog_file(NONCOMMERCIAL.replace('licence = "CC-BY-NC-4.0"', ""))
    )
    write_lock(settings.models_folder / "ours", lock)
    assert load_catalog(settings).offered == [SCRIPTS]


def test_what_lies_on_the_disk_is_looked_up_anew(settings_of, installed) -> None:
    settings = settings_of()
    entry = load_catalog(settings).transcriber("small")
    assert about_installed(entry, settings) == About()
    installed("small")
    assert about_installed(entry, settings) == About(installed=True)
    model = settings.models_folder / "small" / "model.bin"
    lock = ModelLock(revision="c0ffee", files=[hashed(model)])
    write_lock(model.parent, lock)
    assert about_installed(entry, settings) == About(
        installed=True, verified=True, revision="c0ffee", digest=lock.digest
    )


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
    assert plain.served("zh") == ["zh-Hant"]


def test_the_demo_translates_what_its_card_says_and_nothing_else() -> None:
    catalog = Catalog(DEMO)
    assert catalog.served("en") == ["de", "ja", "zh", "zh-Hant"]
    assert catalog.served("zh") == ["de", "en", "ja", "zh-Hant"]
    assert catalog.served("zh-Hant") == ["de", "en", "ja", "zh"]
    assert catalog.served("ja") == ["de", "en", "zh", "zh-Hant"]
    assert catalog.served("de") == ["en", "ja", "zh", "zh-Hant"]
    assert catalog.served("fr") == []


def test_a_stub_translates_everything_but_a_language_into_itself() -> None:
    catalog = Catalog(STUBS)
    assert catalog.translator("yue", "zh-Hant") is not None
    assert catalog.translator("zh", "zh") is None


def test_whisper_hears_what_it_has_a_code_for() -> None:
    by_name = {entry.name: entry for entry in WHISPER}
    assert by_name["large-v3"].hears("yue")
    assert by_name["large-v3"].hears("zh-Hant")
    assert not by_name["large-v3"].hears("tlh")
    assert not by_name["distil-large-v3"].hears("zh-Hant")
    assert [DEMO[0].hears(tag) for tag in ("zh", "zh-Hant", "ja")] == [True, True, False]
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


def test_a_process_reads_its_catalog_once_for_its_settings(monkeypatch) -> None:
    load.cache_clear()
    catalog = own_catalog()
    assert own_catalog() is catalog
    monkeypatch.setenv("FANSCRIBE_STUB_MODELS", "true")
    assert own_catalog() is catalog
    load.cache_clear()
    assert STUBS[0] in own_catalog().offered
    load.cache_clear()
