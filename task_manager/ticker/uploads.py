"""Remove the files that came by themselves and that nobody needs by now, whole or in parts."""

from __future__ import annotations

from services import logs
from task_manager.pipeline.ports import Ports
from task_manager.uploads import forget

log = logs.get(__name__)

_AT_ONCE = 100


def sweep_uploads(ports: Ports) -> int:
    """Those older than `upload_keep_s`; how many. A task that named one has its own link."""
    before = ports.store.now() - ports.settings.upload_keep_s
    swept = 0
    while old := ports.store.old_uploads(before, _AT_ONCE):
        for upload in old:
            forget(ports.store, ports.objects, upload)
        swept += len(old)
    if swept:
        log.info("uploads_swept", count=swept)
    return swept
