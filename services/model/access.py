"""Keys and those who hold them: what a key may do, how much of it, and what is kept of it."""

from __future__ import annotations

import hmac
import secrets
from enum import StrEnum
from hashlib import sha256

from pydantic import Field

from services.model.values import Stored

MARK = "fs"  # every key begins with `fs_`, so that scanners of leaked secrets can find it


class Scope(StrEnum):
    """What a key is for; one may have several."""

    SUBMIT = "submit"  # make, cancel, retry and delete tasks, and upload
    READ = "read"  # see tasks and their results
    WORKER = "worker"  # see and order nodes, queues and metrics, but no task
    ADMIN = "admin"  # everything, also of other owners, and keys


class Limits(Stored):
    """What one key may use; None is as much as the server itself takes.

    Requests are counted by each manager for itself; open tasks and stored bytes are those of the
    owner, whichever of its keys they came by.
    """

    per_second: int | None = Field(default=None, ge=1)
    per_minute: int | None = Field(default=None, ge=1)
    at_once: int | None = Field(default=None, ge=1)  # requests under way
    open_tasks: int | None = Field(default=None, ge=1)
    stored_bytes: int | None = Field(default=None, ge=1)


NO_LIMITS = Limits()


class ApiKey(Stored):
    """All that is kept of a key: `id` is its beginning, for show, `digest` the SHA-256 of the
    whole. Times are seconds since 1970 by the store's clock.

    A plain hash is enough: what is hashed are 256 random bits, which nobody can guess through, so
    that slowness and salt would add nothing.
    """

    id: str
    digest: str
    name: str
    owner: str
    scopes: list[Scope]
    limits: Limits = NO_LIMITS
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    used_at: float | None = None

    def is_opened_by(self, key: str) -> bool:
        return hmac.compare_digest(self.digest, _digest(key))

    def counts(self, now: float) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class AuditLine(Stored):
    """Who did what: the key's id (or `static`, `local`), what to whom, how it ended (`ok` or the
    code of the refusal), and from which address."""

    id: str
    at: float
    key: str
    owner: str
    action: str
    subject: str
    outcome: str
    address: str


def make_key() -> tuple[str, str, str]:
    """A new key, its id, and the digest that is kept of it."""
    key_id = f"{MARK}_{secrets.token_hex(6)}"
    key = f"{key_id}_{secrets.token_hex(32)}"
    return key, key_id, _digest(key)


def id_in(key: str) -> str | None:
    """The id at the beginning of a key; None for what is no key of ours."""
    mark, _, rest = key.partition("_")
    middle, _, secret = rest.partition("_")
    if mark != MARK or not secret or not middle.isalnum() or len(middle) > 32:
        return None
    return f"{mark}_{middle}"


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()
