"""Keys are made, shown and revoked here, whether by the API or on the machine itself."""

from __future__ import annotations

from services.model.access import ApiKey, Limits, make_key
from services.model.errors import NotFound
from task_manager.clock import moment
from task_manager.schemas.key import KeyLimits, KeyView, MadeKey, NewKey
from task_manager.store.protocol import Store


def create(store: Store, wanted: NewKey) -> MadeKey:
    """Stores all of a new key but the key, which this answer alone holds."""
    key, key_id, digest = make_key()
    now = store.now()
    made = ApiKey(
        id=key_id,
        digest=digest,
        name=wanted.name,
        owner=wanted.owner,
        scopes=list(dict.fromkeys(wanted.scopes)),
        limits=Limits(**wanted.limits.model_dump()),
        created_at=now,
        expires_at=None if wanted.expires_in_s is None else now + wanted.expires_in_s,
    )
    assert store.insert_key(made), "48 random bits came twice"
    return MadeKey(**view(made).model_dump(), key=key)


def find(store: Store, key_id: str) -> ApiKey:
    """Raises NotFound."""
    key = store.key(key_id)
    if key is None:
        raise unknown(key_id)
    return key


def revoke(store: Store, key_id: str) -> ApiKey:
    """It opens nothing from now on. Raises NotFound."""
    key = store.revoke_key(key_id, store.now())
    if key is None:
        raise unknown(key_id)
    return key


def view(key: ApiKey) -> KeyView:
    return KeyView(
        id=key.id,
        name=key.name,
        owner=key.owner,
        scopes=key.scopes,
        limits=KeyLimits(**key.limits.model_dump()),
        created_at=moment(key.created_at),
        expires_at=moment(key.expires_at),
        revoked_at=moment(key.revoked_at),
        used_at=moment(key.used_at),
    )


def unknown(key_id: str) -> NotFound:
    """Whoever typed the whole key for its id must not find it in a log."""
    return NotFound(f"There is no key {key_id[:15]!r}: GET /v1/keys lists all.")
