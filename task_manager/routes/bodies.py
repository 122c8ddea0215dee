"""Request bodies that FastAPI does not read for us: their media types and their schemas."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from pydantic import BaseModel

from services.model.errors import UnsupportedContent
from task_manager.schemas.new_task import NewOptions, NewTask


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


def _options_of_a_form() -> dict[str, Any]:
    """Options are fields of their own; what is no text, number or flag is written as JSON."""
    written: dict[str, Any] = {
        "spoken": {"type": "string", "description": "Comma list of languages."},
        "keywords": {"type": "string", "description": "JSON list of terms."},
        "translate_models": {
            "type": "string",
            "description": "JSON object: target language, or `*`, → list of models.",
        },
        "hotwords": {"type": "string", "description": "JSON object, as in the JSON body."},
        "glossary": {"type": "string", "description": "JSON object, as in the JSON body."},
    }
    for name, about in schema_of(NewOptions)["properties"].items():
        kinds = [kind for kind in about.get("anyOf", [about]) if kind.get("type") != "null"]
        fields = [_in_a_form(kind) for kind in kinds]
        written.setdefault(name, fields[0] if len(fields) == 1 else {"anyOf": fields})
    return written


def _in_a_form(kind: dict[str, Any]) -> dict[str, Any]:
    if kind["type"] == "array":
        return {"type": "string", "description": "JSON list."}
    kept = {"type", "enum", "minimum", "maximum", "exclusiveMinimum", "maxLength", "description"}
    return {name: value for name, value in kind.items() if name in kept}


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
            **_options_of_a_form(),
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
