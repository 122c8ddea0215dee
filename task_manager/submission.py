"""A new task from the wire: JSON, or a form with files; refused requests leave nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pydantic import ValidationError

from services.model.errors import Invalid, RequestRefused
from services.model.retention import Retention
from services.model.task import AudioInput, Priority, Task
from services.model.terms import TermList, list_id
from services.model_tokens import counter
from services.storage import keys
from services.storage.named import NamedBuckets
from task_manager import problems
from task_manager.glossaries import with_glossary
from task_manager.hooking import to_task_webhook
from task_manager.intake import Intake
from task_manager.manifests import Rules, stem, to_manifest
from task_manager.multipart import Part, parts
from task_manager.pipeline import Pipeline
from task_manager.pipeline.accept import Unsure, new_task_id
from task_manager.schemas.new_task import TEXTS, NewOptions, NewTask, PriorityName
from task_manager.terms import with_hotwords

MAX_JSON = 64 * 1024 * 1024  # bytes
MAX_KEY = 255  # characters of an Idempotency-Key

_PRIORITIES: Mapping[PriorityName, Priority] = {
    "urgent": Priority.URGENT,
    "normal": Priority.NORMAL,
    "bulk": Priority.BULK,
}


@dataclass(frozen=True, slots=True)
class Submission:
    """Where a request goes and whose it is."""

    pipeline: Pipeline
    intake: Intake
    owner: str
    idempotency_key: str | None

    def of_json(self, raw: bytes) -> Task:
        """Raises RequestRefused."""
        wanted = parse_json(raw)
        return self.taking(lambda task_id: self._accept(task_id, wanted, {}))

    def of_form(self, body: Iterable[bytes], content_type: str) -> Task:
        """Files go to storage as they come; whatever is wrong afterwards, they go again."""

        def take(task_id: str) -> Task:
            form = _Form(task_id, self.intake, self.pipeline.ports.settings.max_items)
            for part in parts(body, content_type):
                form.take(part)
            return self._accept(task_id, form.request(), form.audios)

        return self.taking(take)

    def taking(self, take: Callable[[str], Task]) -> Task:
        """A task of its own id; what a refused or repeated request has stored goes again, unless
        the task may be there after all."""
        task_id = new_task_id()
        try:
            task = take(task_id)
        except Unsure:
            raise
        except BaseException:
            self._forget(task_id)
            raise
        if task.id != task_id:
            self._forget(task_id)
        return task

    def _forget(self, task_id: str) -> None:
        self.pipeline.ports.objects.delete_prefix(keys.task_prefix(task_id))

    def _accept(self, task_id: str, wanted: Any, files: Mapping[str, AudioInput]) -> Task:
        ports = self.pipeline.ports
        new = validated(wanted)
        settings = ports.settings
        rules = Rules(
            settings,
            ports.catalog,
            settings.networks,
            ports.buckets,
            lambda key, where: files.get(key) or self._upload(key, where),
        )
        manifest = with_hotwords(
            with_glossary(to_manifest(new, rules), new.options.glossary, self._term_list),
            new.options.hotwords,
            self._term_list,
            lambda model: counter(model, ports.catalog, settings),
        )
        task, _ = self.pipeline.accept(
            task_id=task_id,
            owner=self.owner,
            manifest=manifest,
            priority=_PRIORITIES[new.priority],
            metadata=new.metadata,
            idempotency_key=check_key(self.idempotency_key),
            retention=Retention(
                media_s=new.retention.media_seconds, results_s=new.retention.results_seconds
            ),
            webhook=to_task_webhook(new.webhook, ports.settings),
            output_prefix=_output_prefix(new.output_prefix, ports.buckets),
        )
        return task

    def _term_list(self, named: str) -> TermList | None:
        """By its id, else by its name."""
        store = self.pipeline.ports.store
        found = store.term_list(named)
        if found is None or found.owner != self.owner:
            found = store.term_list(list_id(self.owner, named))
        return found

    def _upload(self, key: str, where: str) -> AudioInput | None:
        upload = self.pipeline.ports.store.upload(key)
        if upload is None or upload.owner != self.owner:
            return None
        if not upload.complete:
            raise Invalid(
                f"Parts of this upload have not come: send them, then POST /v1/{key}/complete.",
                code="upload_incomplete",
                field=where,
            )
        return AudioInput(key=key, size=upload.size, sha256=upload.sha256, name=upload.name)


def validated(wanted: Any) -> NewTask:
    """Raises Invalid."""
    try:
        return NewTask.model_validate(wanted)
    except ValidationError as error:
        code, message, where = problems.from_pydantic(error.errors())
        raise Invalid(message, code=code, field=where) from error


def _output_prefix(written: str | None, buckets: NamedBuckets) -> str:
    """Raises Invalid."""
    if written is None:
        return ""
    buckets.output_folder(written)
    return written


def check_key(key: str | None) -> str | None:
    """Raises Invalid for an Idempotency-Key that is empty, too long, or not plain."""
    if key is None or (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        return key
    raise Invalid(
        f"An Idempotency-Key has 1 to {MAX_KEY} printable ASCII characters.",
        code="bad_idempotency_key",
        field="Idempotency-Key",
    )


def parse_json(raw: bytes | str) -> Any:
    """Raises RequestRefused 400; what JSON has no word for, such as NaN, is refused as well."""
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, json.JSONDecodeError) else "it cannot be read"
        raise RequestRefused(f"The body is not JSON: {reason}.", code="invalid_json") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


# ── forms ────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Form:
    """What the parts of a form have told so far."""

    task_id: str
    intake: Intake
    max_files: int
    audios: dict[str, AudioInput] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    targets: list[str] = field(default_factory=list)

    def take(self, part: Part) -> None:
        if part.filename is not None:
            self._take_file(part)
        elif part.name == "targets":
            self.targets += [each.strip() for each in part.text().split(",") if each.strip()]
        elif part.name not in _FIELDS:
            known = ", ".join(["files", "targets", *_FIELDS])
            raise Invalid(
                f"There is no field {part.name[:60]!r} here; there are {known}.",
                code="unknown_field",
                field=part.name[:60],
            )
        elif part.name in self.fields:
            raise Invalid("This field is given twice.", code="repeated_field", field=part.name)
        else:
            self.fields[part.name] = _FIELDS[part.name](part.name, part.text())

    def _take_file(self, part: Part) -> None:
        if part.name not in {"files", "file"}:
            raise Invalid(
                "Files are sent in the field `files`.", code="unknown_field", field=part.name[:60]
            )
        if len(self.audios) >= self.max_files:
            raise Invalid(
                f"A task takes up to {self.max_files} items.", code="too_many_items", field="files"
            )
        # Behind all ordinals, for uploads that the request names are linked to theirs.
        key = keys.audio(self.task_id, self.max_files + len(self.audios))
        name = part.filename or ""
        self.audios[key] = self.intake.store(key, name, part.chunks, field=part.name)

    def request(self) -> dict[str, Any]:
        """The same as JSON: the items of `request`, then files, then texts, joined by text id."""
        wanted = dict(_object("request", self.fields.pop("request", {})))
        items = wanted["items"] = [*_list(wanted.get("items", []))]
        for key, audio in self.audios.items():
            _join(items, stem(audio.name), "audio", key)
        for text_id, text in _object("texts", self.fields.pop("texts", {})).items():
            _join(items, text_id, "text", text)
        if self.targets or "targets" not in wanted:
            wanted["targets"] = self.targets
        options = dict(_object("request.options", wanted.pop("options", {})))
        for name, value in self.fields.items():
            (wanted if name in _OF_TASK else options)[name] = value
        return {**wanted, "options": options}


def _join(items: list[Any], text_id: str, name: str, value: Any) -> None:
    for item in items:
        if isinstance(item, dict) and item.get("text_id") == text_id and item.get(name) is None:
            item[name] = value
            return
    items.append({"text_id": text_id, name: value})


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid("This is a JSON object.", code="wrong_type", field=name)
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Invalid("This is a JSON list.", code="wrong_type", field="request.items")
    return [dict(item) if isinstance(item, dict) else item for item in value]


def _json(name: str, text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise Invalid(
                "A name is given twice in this JSON object.",
                code="duplicate_text_id" if name == "texts" else "repeated_field",
                field=name,
            )
        return found

    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Invalid("This field is not JSON.", code="invalid_json", field=name) from error


def _value(name: str, text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Invalid(
            "This field is a number, true or false, or a list in JSON.",
            code="wrong_type",
            field=name,
        ) from error


def _plain(_: str, text: str) -> str:
    return text


def _names(_: str, text: str) -> list[str]:
    return [name for each in text.split(",") if (name := each.strip())]


_OF_TASK = {
    "language",
    "priority",
    "metadata",
    "webhook",
    "output_prefix",
}  # the other fields are options
_FIELDS: Mapping[str, Callable[[str, str], Any]] = {
    "request": _json,
    "texts": _json,
    "metadata": _json,
    "webhook": _json,
    "output_prefix": _plain,
    "language": _plain,
    "priority": _plain,
    **{name: _plain if name in TEXTS else _value for name in NewOptions.model_fields},
    "keywords": _json,
    "hotwords": _json,
    "glossary": _json,
    "spoken": _names,
}
