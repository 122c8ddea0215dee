"""Text ids and texts that nobody would choose, and packs of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from services.model.languages import LANGUAGES
from services.model.pack import coded

NAMES = [
    # what JavaScript puts first and sorts, and what only looks like it
    "10", "9", "1", "0", "01", "-1", "1.0", "1e3", "4294967294", "4294967295", "９",
    # what its objects have already, and what the pack itself says
    "__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "length", "then",
    "data", "missing", "A", "T",
    # what stores, paths, pages and JSON might take for something else
    "$where", "a.b", "a/b", "/", ".", "..", "...", "%2F", "%", "?", "#", "a\\b", '"', "'", "`",
    '"}}}', "[]", "null", "true", "</script>", "${x}", "{{x}}", " x ", "a b",
    # what is written in more than one way, in two halves, from the right, or is not seen
    "文本编号1", "e\u0301", "é", "ﬁ", "İ", "😀", "👩‍👩‍👧", "𝒳", "שלום", "مرحبا",
    "\u202eabc", "a\u2028b", "a\u2029b", "\ufeffx", "x\u200b", "\uffff", "\U0010ffff",
    "x" * 200, "😀" * 200,
]  # fmt: skip
TEXTS = [*NAMES, "one\ntwo\r\n\tthree", "\\u0041\\n", '{"A": "x"}', "𝒳" * 5000, "<b>&amp;</b>"]

_names = st.sampled_from(NAMES) | st.text(min_size=1)
_texts = st.sampled_from(TEXTS) | st.text()


@dataclass
class Made:
    """A pack as the packer is given it, in the order of its task."""

    cells: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    missing: list[tuple[str, str, str]] = field(default_factory=list)
    versions: list[tuple[str, str, str, int]] = field(default_factory=list)

    @property
    def document(self) -> dict[str, Any]:
        return coded(self.cells, self.missing, self.versions)


@st.composite
def packs(draw: st.DrawFn) -> Made:
    """Some languages of some texts; each cell is there, corrected, missing, or was never asked
    for."""
    made = Made()
    names = draw(st.lists(_names, min_size=1, max_size=6, unique=True))
    for language in draw(st.lists(st.sampled_from(sorted(LANGUAGES)), max_size=4, unique=True)):
        made.cells[language] = {}
        for name in names:
            for source in draw(st.sampled_from(["A", "T", "AT"])):
                cell = (language, name, source)
                if draw(st.booleans()):
                    made.missing.append(cell)
                    continue
                made.cells[language].setdefault(name, {})[source] = draw(_texts)
                if version := draw(st.integers(0, 3)):
                    made.versions.append((*cell, version))
    return made
