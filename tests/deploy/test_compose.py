"""docker-compose.yml: valid, complete, and free of what stands in the way of `--scale`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.settings import Settings

ROOT = Path(__file__).parents[2]
WORKERS = {"whisper", "translator", "whisper-gpu"}
OURS = {"manager", *WORKERS}
FIELDS = {f"FANSCRIBE_{name.upper()}" for name in Settings.model_fields}


def test_the_file_is_valid_by_the_compose_schema() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec",
         "docker-compose.yml"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (checked.returncode, checked.stdout) == (0, "ok -- validation done\n")


def test_the_services_are_those_of_the_design(compose: dict[str, Any]) -> None:
    profiles = {name: service.get("profiles", []) for name, service in compose["services"].items()}

    assert profiles == {
        "manager": [],
        "whisper": [],
        "translator": [],
        "whisper-gpu": ["gpu"],
        "mongodb": [],
        "redis": [],
        "cache": ["cache"],
        "rabbitmq": ["rabbitmq"],
        "objectstore": ["s3"],
    }


def test_nothing_stands_in_the_way_of_scaling_a_worker(compose: dict[str, Any]) -> None:
    """Two containers can share neither a name nor a port of the host."""
    services = compose["services"]

    assert [name for name in services if "container_name" in services[name]] == []
    assert [name for name in services if "ports" in services[name]] == ["manager"]


def test_only_loopback_is_published_unless_somebody_asks_for_more(compose: dict[str, Any]) -> None:
    assert compose["services"]["manager"]["ports"] == [
        "${PUBLISH_ADDRESS:-127.0.0.1}:${PUBLISH_PORT:-8000}:8000"
    ]


@pytest.mark.parametrize("secret", ["FANSCRIBE_API_KEY", "FANSCRIBE_CALLBACK_SECRET"])
def test_a_missing_secret_stops_compose_and_says_what_to_do(
    compose: dict[str, Any], secret: str
) -> None:
    for name in OURS:
        value = compose["services"][name]["environment"][secret]

        assert re.fullmatch(rf"\$\{{{secret}:\?[^}}]*\.env\.example[^}}]*\}}", value), name


def test_every_service_has_an_init_a_health_check_and_a_pinned_image(
    compose: dict[str, Any],
) -> None:
    for name, service in compose["services"].items():
        assert service["init"] is True, name
        assert {"test", "interval", "timeout", "retries", "start_period"} <= set(
            service["healthcheck"]
        ), name
        assert re.fullmatch(r"[a-z/]+:\d[\w.-]+", service["image"]), name


def test_a_worker_gets_longer_to_end_than_it_takes_to_finish_softly(
    compose: dict[str, Any],
) -> None:
    """services/queue.py gives running work 60 s; Docker must not kill it before."""
    for name in OURS:
        grace = compose["services"][name]["stop_grace_period"]

        assert int(grace.removesuffix("s")) > 60, name


def test_a_process_starts_when_what_it_needs_is_healthy(compose: dict[str, Any]) -> None:
    needs = {
        name: {each: how["condition"] for each, how in service.get("depends_on", {}).items()}
        for name, service in compose["services"].items()
    }
    healthy = "service_healthy"

    assert needs["manager"] == {"mongodb": healthy, "redis": healthy}
    for name in WORKERS:
        assert needs[name] == {"manager": healthy, "redis": healthy}


def test_only_the_cache_evicts(compose: dict[str, Any]) -> None:
    policies = {
        name: service["command"][-1]
        for name, service in compose["services"].items()
        if "--maxmemory-policy" in service.get("command", [])
    }

    assert policies == {"redis": "noeviction", "cache": "allkeys-lru"}


def test_every_variable_for_a_process_is_a_setting(compose: dict[str, Any]) -> None:
    given = {name for each in OURS for name in compose["services"][each]["environment"]}

    assert given - FIELDS == set()


def test_the_settings_of_each_process_can_be_read(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in OURS:
        for variable, value in compose["services"][name]["environment"].items():
            monkeypatch.setenv(variable, re.sub(r"\$\{\w+(?::-([^}]*)|:\?[^}]*)\}", r"\1", value))
        settings = Settings()

        assert settings.manager_url == "http://manager:8001"
        assert settings.broker_url == "redis://redis:6379/0"
        assert (settings.device == "cuda") is (name == "whisper-gpu")
        monkeypatch.undo()


def test_the_example_names_every_variable_that_compose_reads(
    compose_text: str, env_example: dict[str, str]
) -> None:
    read = set(re.findall(r"\$\{(\w+)", compose_text))

    assert read == set(env_example)


def test_the_example_gives_the_defaults_and_leaves_the_secrets_empty(
    compose_text: str, env_example: dict[str, str]
) -> None:
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", compose_text))

    assert {name: env_example[name] for name in defaults} == defaults
    assert env_example["FANSCRIBE_API_KEY"] == env_example["FANSCRIBE_CALLBACK_SECRET"] == ""


def test_every_variable_of_the_example_is_explained() -> None:
    paragraphs = (ROOT / ".env.example").read_text("utf-8").strip().split("\n\n")

    assert [text for text in paragraphs if not text.startswith("# ")] == []


def test_the_store_address_names_the_replica_set_that_the_health_check_makes(
    compose: dict[str, Any],
) -> None:
    mongodb = compose["services"]["mongodb"]
    address = compose["services"]["manager"]["environment"]["FANSCRIBE_STORE_URL"]
    script = mongodb["healthcheck"]["test"][-1]
    command = mongodb["command"]

    name = command[command.index("--replSet") + 1]
    assert address == f"mongodb://mongodb:27017/fanscribe?replicaSet={name}"
    assert f'rs.initiate({{_id: "{name}", members: [{{_id: 0, host: "mongodb:27017"}}]}})' in script
    assert "isWritablePrimary" in script


def test_workers_get_files_by_url_and_hold_neither_store_nor_media(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]

    assert services["manager"]["environment"]["FANSCRIBE_OBJECTS_ACCESS"] == "url"
    for name in WORKERS:
        assert "FANSCRIBE_STORE_URL" not in services[name]["environment"]
        assert not any(volume.startswith("objects:") for volume in services[name]["volumes"])


def test_every_named_volume_is_declared(compose: dict[str, Any]) -> None:
    mounts = [
        re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume).partition(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
    ]

    assert set(mounts) == set(compose["volumes"])


def test_the_gpu_worker_asks_for_a_gpu_and_the_others_do_not(compose: dict[str, Any]) -> None:
    asking = {
        name: service["deploy"]["resources"]["reservations"]["devices"]
        for name, service in compose["services"].items()
        if "deploy" in service
    }

    assert asking == {"whisper-gpu": [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]}


def test_the_manager_alone_has_the_key_of_the_bucket(compose: dict[str, Any]) -> None:
    services = compose["services"]
    keys = {"FANSCRIBE_OBJECTS_KEY_ID", "FANSCRIBE_OBJECTS_KEY_SECRET"}

    assert keys <= set(services["manager"]["environment"])
    for name in WORKERS:
        assert not keys & set(services[name]["environment"])
