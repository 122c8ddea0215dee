"""Files that come by themselves: announced, sent whole or in parts, and how far they have come."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from task_manager.schemas.request import AnswerModel, RequestModel

MIN_PART = 5 * 1024**2  # bytes; what S3 and OSS ask of every part but the last
MAX_PART = 5 * 1024**3
MAX_PARTS = 10_000

PartNumber = Annotated[int, Field(ge=1, le=MAX_PARTS)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Of the whole file, in hex.")]


class NewUpload(RequestModel):
    """A file that will come in parts."""

    name: str = Field(default="", max_length=255)
    size: int = Field(ge=1, description="Bytes of the whole file.")
    sha256: Sha256 | None = None
    part_bytes: int | None = Field(
        default=None,
        ge=MIN_PART,
        le=MAX_PART,
        description="Of every part but the last; the server chooses if you do not. One that is not "
        "smaller than the file makes it a single part.",
    )


class WantedUrls(RequestModel):
    """Which parts you are about to send."""

    numbers: list[PartNumber] | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="Without it the first hundred that have not come.",
    )


class UploadEnd(RequestModel):
    """What you know of the file by now."""

    sha256: Sha256 | None = None


class StoredView(AnswerModel):
    """A local object that a worker has written."""

    key: str
    size: int
    sha256: str


class PartView(AnswerModel):
    """A part that has come. `etag` is the MD5 of its bytes in a bucket, their sha256 elsewhere."""

    number: int
    size: int
    etag: str


class PartsView(AnswerModel):
    """How the file is cut, and what of it has come. `direct`: parts may go straight to the
    bucket, by the URLs of `…/urls`."""

    part_bytes: int
    count: int
    direct: bool
    received: list[PartView]


class UploadView(AnswerModel):
    """Name the file by its key in POST /v1/tasks, once it is complete. `sha256` is "" where
    nobody knows it."""

    id: str = Field(description="Of the upload, for its routes; the key ends with it.")
    key: str
    name: str
    size: int
    sha256: str
    complete: bool
    parts: PartsView | None = Field(default=None, description="Of a file that comes in parts.")


class PartUrl(AnswerModel):
    """Where to PUT the bytes of one part, with no header of your own."""

    number: int
    url: str


class PartUrls(AnswerModel):
    expires_in_seconds: int
    urls: list[PartUrl]
