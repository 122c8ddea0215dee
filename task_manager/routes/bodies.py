"""Request bodies that FastAPI does not read for us: their media types and their schemas."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from pydantic import BaseModel

from services.model.errors import UnsupportedContent
from task_manager.schemas.new_task import MAX_PROMPT, NewTask


def media_type(request: Request) -> str:
    """The Content-Type without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def require_json(request: Request) -> None:
    """Raises UnsupportedContent."""
    if media_type(request) != "application/json":
        raise UnsupportedContent("Send application/json, and say so in Content-Type.")


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON Schema with everything that it refers to inside."""
    schema = model.model_json_schema()
    inlined: dict[str, Any] = _inlined(schema, schema.pop("$defs", {}))
    return inlined


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            rest = {name: value for name, value in node.items() if name != "$ref"}
            return _inlined({**definitions[reference.rpartition("/")[2]], **rest}, definitions)
        return {name: _inlined(value, definitions) for name, value in node.items()}
    return [_inlined(each, definitions) for each in node] if isinstance(node, list) else node


def audio_form(file: str, model: type[BaseModel] | None = None) -> dict[str, Any]:
    """A form with one file and the fields of a model, whose arrays end in brackets."""
    schema = schema_of(model) if model else {}
    fields = {
        f"{name}[]" if about.get("type") == "array" else name: about
        for name, about in schema.get("properties", {}).items()
    }
    form = {
        "type": "object",
        "required": [file, *schema.get("required", [])],
        "properties": {file: {"type": "string", "format": "binary"}, **fields},
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}}}


JSON_SCHEMA: dict[str, Any] = {"schema": schema_of(NewTask)}

FORM_SCHEMA: dict[str, Any] = {
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "description": "Items are joined by text id: those of `request`, then the files, then "
        "the texts.",
        "properties": {
            "files": {
                "type": "array",
                "items": {"type": "string", "format": "binary"},
                "description": "A file's text id is the stem of its name: 1.mp3 → 1.",
            },
            "targets": {"type": "string", "description": "Comma list; may be repeated."},
            "texts": {"type": "string", "description": "JSON object: text id → reference text."},
            "language": {"type": "string", "description": "Of all items that state none."},
            "request": {"type": "string", "description": "The whole request as JSON."},
            "priority": {"type": "string", "enum": ["urgent", "normal", "bulk"]},
            "metadata": {"type": "string", "description": "JSON object, up to 16 KB."},
            "webhook": {"type": "string", "description": "JSON object, as in the JSON body."},
            "output_prefix": {"type": "string", "description": "Where results are written."},
            "model": {"type": "string"},
            "translate_model": {"type": "string"},
            "beam_size": {"type": "integer", "minimum": 1, "maximum": 10},
            "word_timestamps": {"type": "boolean"},
            "segments": {"type": "string", "enum": ["auto", "sentences", "engine"]},
            "spoken": {"type": "string", "description": "Comma list of languages."},
            "language_threshold": {"type": "number", "minimum": 0, "maximum": 1},
            "language_unsure": {"type": "string", "enum": ["warn", "fail"]},
            "multilingual": {"type": "boolean"},
            "prompt": {"type": "string", "maxLength": MAX_PROMPT},
            "keywords": {"type": "string", "description": "JSON list of terms."},
            "temperature": {"type": "number", "minimum": 0, "maximum": 1},
            "channels": {"type": "string", "enum": ["mix", "each"]},
            "check_threshold": {"type": "number", "minimum": 0},
            "check_action": {"type": "string", "enum": ["flag", "fail"]},
            "language_spelling": {"type": "string", "enum": ["canonical", "caller"]},
            "node_label": {"type": "string", "description": "Only nodes with this label."},
        },
        "example": {"targets": "zh,ja", "language": "en", "texts": '{"2": "Good morning."}'},
    }
}

PART_SCHEMA: dict[str, Any] = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
}

FILE_SCHEMA: dict[str, Any] = {
    **PART_SCHEMA,
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["file"],
            "properties": {"file": {"type": "string", "format": "binary"}},
        }
    },
}
