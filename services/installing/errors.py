"""Why a model cannot be brought here, and what to do about it.

CannotInstall
├── NoSuchModel    the hub, or the catalog, has none of that name
├── HubRefused     it wants a token, or its terms accepted
├── HubAway        nobody answers, or not for now; what has come stays for the next try
├── Unfit          it is there, and faster-whisper cannot load it
├── Damaged        what came is not what was promised; it was thrown away
└── NoRoom         the disk is too small for it
"""

from __future__ import annotations

from services.model.errors import FanscribeError


class CannotInstall(FanscribeError):
    """The root; the message says what to do."""


class NoSuchModel(CannotInstall):
    """Look for its name with `fanscribe models list`, or on the hub."""


class HubRefused(CannotInstall):
    """Accept the model's terms on the hub, and set HF_TOKEN."""


class HubAway(CannotInstall):
    """Try again, name a mirror by HF_ENDPOINT, or bring the files by `--from`."""


class Unfit(CannotInstall):
    """Take another model, or convert this one."""


class Damaged(CannotInstall):
    """Pull it again."""


class NoRoom(CannotInstall):
    """Make room, or move the models folder."""
