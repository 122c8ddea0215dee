"""What changed between two OpenAPI documents, and which of it breaks a client.

Requests and answers are opposite: a request that takes less breaks who sends it, an answer that
says more than it did (another type, a null, a value that was not in the list) breaks who reads it.
"""  # noqa: INP001  beside the pages, not a package

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Schema = Mapping[str, Any]

# Keywords that bound a value: whether more of it takes more.
_BOUNDS = {
    "minimum": False, "exclusiveMinimum": False, "minLength": False, "minItems": False,
    "minProperties": False, "maximum": True, "exclusiveMaximum": True, "maxLength": True,
    "maxItems": True, "maxProperties": True,
}  # fmt: skip
_FIXED = ("pattern", "format", "multipleOf", "uniqueItems", "propertyNames", "contentMediaType")


class Side(Enum):
    """Who reads what a schema describes."""

    REQUEST = "request"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One difference, as a sentence about a route."""

    route: str
    what: str
    breaks: bool

    def __str__(self) -> str:
        return f"`{self.route}`: {self.what}"


def changes(before: Schema, now: Schema) -> list[Change]:
    """Every difference that a program can notice; words for people are not among them."""
    old, new = dict(_routes(before)), dict(_routes(now))
    found = [Change(route, "the route is gone.", breaks=True) for route in old if route not in new]
    found += [Change(route, "new route.", breaks=False) for route in new if route not in old]
    for route in old.keys() & new.keys():
        found += _Both(before, now, route).operation(old[route], new[route])
    return sorted(set(found))


def _routes(document: Schema) -> Iterator[tuple[str, Schema]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


@dataclass(slots=True)
class _Both:
    """One route in both documents."""

    before: Schema
    now: Schema
    route: str
    seen: set[tuple[str, str, Side]] = field(default_factory=set)  # pairs of named schemas

    def operation(self, old: Schema, new: Schema) -> Iterator[Change]:
        if old.get("operationId") != new.get("operationId"):
            yield self._breaks(
                f"its name was `{old.get('operationId')}` and is `{new.get('operationId')}`."
            )
        if new.get("security") and not old.get("security"):
            yield self._breaks("it needs a key now.")
        yield from self._parameters(old, new)
        yield from self._bodies(old.get("requestBody"), new.get("requestBody"))
        yield from self._answers(old["responses"], new["responses"])

    # ── the parts of an operation ────────────────────────────────────────────────────────────

    def _parameters(self, old: Schema, new: Schema) -> Iterator[Change]:
        had, has = (
            {(each["in"], each["name"]): each for each in operation.get("parameters", [])}
            for operation in (old, new)
        )
        for place, name in had.keys() - has.keys():
            yield self._breaks(f"the {place} parameter `{name}` is gone.")
        for place, name in has.keys() - had.keys():
            needed = has[place, name].get("required", False)
            kind = "required " if needed else ""
            yield Change(self.route, f"new {kind}{place} parameter `{name}`.", breaks=needed)
        for place, name in had.keys() & has.keys():
            one, other = had[place, name], has[place, name]
            where = f"the {place} parameter `{name}`"
            if other.get("required") and not one.get("required"):
                yield self._breaks(f"{where} is required now.")
            elif one.get("required") and not other.get("required"):
                yield self._adds(f"{where} may be left out now.")
            yield from self._schema(one["schema"], other["schema"], Side.REQUEST, where)

    def _bodies(self, old: Schema | None, new: Schema | None) -> Iterator[Change]:
        if old is None and new is None:
            return
        if old is None or new is None:
            what = "it takes a body now" if old is None else "it takes no body any more"
            needed = new is None or bool(new.get("required"))
            yield Change(self.route, f"{what}.", breaks=needed)
            return
        if new.get("required") and not old.get("required"):
            yield self._breaks("the body is required now.")
        yield from self._content(old["content"], new["content"], Side.REQUEST, "the request")

    def _answers(self, old: Schema, new: Schema) -> Iterator[Change]:
        """Clients are to expect any refusal; so a new one is no break, and a lost one none."""
        for status in sorted({*old, *new}):
            refusal = status >= "4"
            if status not in new:
                yield Change(self.route, f"it answers no {status} any more.", breaks=not refusal)
            elif status not in old:
                yield Change(self.route, f"it may answer {status} now.", breaks=not refusal)
            else:
                where = f"the answer {status}"
                for name in old[status].get("headers", {}).keys() - new[status].get("headers", {}):
                    yield self._breaks(f"{where} has no header `{name}` any more.")
                for name in new[status].get("headers", {}).keys() - old[status].get("headers", {}):
                    yield self._adds(f"{where} has the header `{name}`.")
                one, other = (each[status].get("content", {}) for each in (old, new))
                yield from self._content(one, other, Side.ANSWER, where)

    def _content(self, old: Schema, new: Schema, side: Side, where: str) -> Iterator[Change]:
        for kind in sorted({*old, *new}):
            if kind not in new:
                yield self._breaks(f"{where} is no {kind} any more.")
            elif kind not in old:
                yield self._adds(f"{where} may be {kind}.")
            else:
                one, other = old[kind].get("schema", {}), new[kind].get("schema", {})
                yield from self._schema(one, other, side, where)

    # ── schemas ──────────────────────────────────────────────────────────────────────────────

    def _schema(self, old: Schema, new: Schema, side: Side, where: str) -> Iterator[Change]:
        names = (str(old.get("$ref")), str(new.get("$ref")), side)
        if "$ref" in old and "$ref" in new:
            if names in self.seen:
                return
            self.seen.add(names)
        if side is Side.REQUEST and not _stays(old.get("default"), new.get("default")):
            left_out = f"{old.get('default')!r} → {new.get('default')!r}"
            yield self._breaks(f"{where}: what holds where it is left out: {left_out}.")
        had, has = _kinds(self.before, old), _kinds(self.now, new)
        if had and has:
            for kind in sorted(had.keys() - has.keys()):
                yield self._narrower(side, where, f"{kind} → not any more")
            for kind in sorted(has.keys() - had.keys()):
                yield self._wider(side, where, f"also {kind}")
        elif had or has:
            made = self._narrower if has else self._wider
            yield made(side, where, f"{_any(had)} → {_any(has)}")
        for kind in sorted(had.keys() & has.keys()):
            yield from self._bounds(had[kind], has[kind], side, where)
            yield from self._fields(had[kind], has[kind], side, where)
            yield from self._members(had[kind], has[kind], side, where)

    def _bounds(self, old: Schema, new: Schema, side: Side, where: str) -> Iterator[Change]:
        for word in (*_BOUNDS, *_FIXED):
            one, other = old.get(word), new.get(word)
            if one == other:
                continue
            how = f"{word} {_any(one)} → {_any(other)}"
            if one is not None and other is not None and word not in _BOUNDS:
                yield self._breaks(f"{where} is another: {how}.")
            elif one is None or (other is not None and (other > one) is not _BOUNDS[word]):
                yield self._narrower(side, where, how)
            else:
                yield self._wider(side, where, how)
        had, has = _values(old), _values(new)
        if had is None or has is None:
            if had is not None:
                yield self._wider(side, where, "any value")
            elif has is not None:
                yield self._narrower(side, where, f"only {', '.join(sorted(has))}")
            return
        for value in sorted(had - has):
            yield self._narrower(side, where, f"{value} → not any more")
        for value in sorted(has - had):
            yield self._wider(side, where, f"also {value}")

    def _fields(self, old: Schema, new: Schema, side: Side, where: str) -> Iterator[Change]:
        had, has = old.get("properties", {}), new.get("properties", {})
        must, must_now = set(old.get("required", [])), set(new.get("required", []))
        asks = side is Side.REQUEST
        for name in sorted(had.keys() - has.keys()):
            yield self._breaks(f"{where}: the field `{name}` is gone.")
        for name in sorted(has.keys() - had.keys()):
            needed = asks and name in must_now
            kind = "required field" if needed else "field"
            yield Change(self.route, f"{where}: new {kind} `{name}`.", breaks=needed)
        for name in sorted(had.keys() & has.keys()):
            if name in must_now - must:
                what = f"{where}: the field `{name}` is {'required' if asks else 'always there'}."
                yield Change(self.route, what, breaks=asks)
            elif name in must - must_now:
                yield Change(self.route, f"{where}: `{name}` may be missing.", breaks=not asks)
            yield from self._schema(had[name], has[name], side, f"{where}, `{name}`")

    def _members(self, old: Schema, new: Schema, side: Side, where: str) -> Iterator[Change]:
        """Of lists and of objects with any names."""
        for word in ("items", "additionalProperties"):
            one, other = old.get(word, True), new.get(word, True)
            if isinstance(one, Mapping) and isinstance(other, Mapping):
                yield from self._schema(one, other, side, f"{where}, each")
            elif other is False and one is not False:
                yield self._narrower(side, where, "no further fields")
            elif one is False and other is not False:
                yield self._wider(side, where, "any further fields")
        for one, other in zip(old.get("prefixItems", []), new.get("prefixItems", []), strict=False):
            yield from self._schema(one, other, side, f"{where}, each")

    def _narrower(self, side: Side, where: str, how: str) -> Change:
        return Change(self.route, f"{where} is narrower: {how}.", breaks=side is Side.REQUEST)

    def _wider(self, side: Side, where: str, how: str) -> Change:
        return Change(self.route, f"{where} is wider: {how}.", breaks=side is Side.ANSWER)

    def _breaks(self, what: str) -> Change:
        return Change(self.route, what, breaks=True)

    def _adds(self, what: str) -> Change:
        return Change(self.route, what, breaks=False)


def _stays(old: object, new: object) -> bool:
    """Whether a default still holds; that of a new field in it is told of at the field."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return all(name in new and _stays(value, new[name]) for name, value in old.items())
    return old == new


def _kinds(document: Schema, schema: Schema) -> dict[str, Schema]:
    """The alternatives of a schema by their type; objects of which there are several also by
    name. Nothing where anything goes."""
    found: dict[str, Schema] = {}
    for each in _alternatives(document, schema):
        kinds = each.get("type", "")
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            if kind:
                found[f"{kind} {each.get('title', '')}" if kind in found else kind] = each
    if "number" in found:
        found.setdefault("integer", found["number"])
    return found


def _alternatives(document: Schema, schema: Schema) -> Iterator[Schema]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from _alternatives(document, document["components"]["schemas"][name])
    elif "anyOf" in schema or "oneOf" in schema:
        for each in schema.get("anyOf") or schema["oneOf"]:
            yield from _alternatives(document, each)
    else:
        yield schema


def _values(schema: Schema) -> set[str] | None:
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return None if values is None else {f"`{value}`" for value in values}


def _any(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(value) or "anything"
    return "any" if value is None else f"{value}"
