"""Remove the files that came by themselves and that nobody needs by now, whole or in parts."""

from __future__ import annotations

from services import logs
from services.model.task import Upload
from task_manager.pipeline.ports import Ports
from task_manager.uploads import forget

log = logs.get(__name__)

_AT_ONCE = 100


def sweep_uploads(ports: Ports) -> int:
    """Those older than `upload_keep_s`; how many. A task that named one has its own link. One that
    cannot be removed now is met again at the next look, and holds up no other."""
    before = ports.store.now() - ports.settings.upload_keep_s
    swept = 0
    left: set[str] = set()
    while True:
        found = ports.store.old_uploads(before, _AT_ONCE + len(left))
        old = [upload for upload in found if upload.key not in left]
        stuck = {upload.key for upload in old if not _is_gone(ports, upload)}
        swept += len(old) - len(stuck)
        left |= stuck
        if len(stuck) == len(old):  # none, or the bucket is away
            break
    if swept:
        log.info("uploads_swept", count=swept)
    return swept


def _is_gone(ports: Ports, upload: Upload) -> bool:
    try:
        forget(ports.store, ports.objects, upload)
    except Exception as error:  # noqa: BLE001
        log.warning("upload_not_swept", key=upload.key, error=repr(error))
        return False
    return True
