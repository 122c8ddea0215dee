"""What of a text is no language: found whole, and nothing else found."""

from __future__ import annotations

import pytest

from services.spans import Kind, Span, besides, spans_in


def found(text: str) -> list[str]:
    return [span.put for span in spans_in(text)]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("See https://example.com/a?b=1&c=2#d.", ["https://example.com/a?b=1&c=2#d"]),
        ("(see http://a.b/c_(d)) now", ["http://a.b/c_(d)"]),
        ("Visit www.example.com, please!", ["www.example.com"]),
        ("请打开https://x.y/路径，谢谢", ["https://x.y/"]),
        ("Write to jane.doe+x@mail.example.org.", ["jane.doe+x@mail.example.org"]),
        ("请写信给info@example.com吧", ["info@example.com"]),
        ("Dear {name}, you have {0} of {{ count }}", ["{name}", "{0}", "{{ count }}"]),
        ("%s of %d and %1$s, %(name)s, %.2f", ["%s", "%d", "%1$s", "%(name)s", "%.2f"]),
        ("${HOME} and $HOME and %PATH%", ["${HOME}", "$HOME", "%PATH%"]),
        (
            '<b>bold</b> and <a href="https://x.y?z=1. A">it</a>',
            ["<b>", "</b>", '<a href="https://x.y?z=1. A">', "</a>"],
        ),
        ("one<br/>two&nbsp;three&#8217;s", ["<br/>", "&nbsp;", "&#8217;"]),
        (r"{\an8}Up here", [r"{\an8}"]),
    ],
)
def test_a_span_is_found_whole(text, spans) -> None:
    assert found(text) == spans


@pytest.mark.parametrize(
    "text",
    [
        "Nothing here.",
        "100% discount, 50%off and 5 % d",
        "It costs $5 or $ 7.",
        "a < b and c > d",
        "AT&T; R&D",
        "{ not a placeholder, but a sentence in braces }",
        "me@home and @you",
        "一个普通的句子。",
    ],
)
def test_what_only_looks_like_one_is_left_alone(text) -> None:
    assert spans_in(text) == []


def test_only_what_means_the_next_argument_and_markup_keep_their_order() -> None:
    spans = spans_in("%s %d {} <b> {name} %(x)s %1$s https://x.y")
    assert [span.put for span in spans if span.ordered] == ["%s", "%d", "{}", "<b>"]


def test_of_two_that_overlap_the_first_kind_stays() -> None:
    kept = [Span(2, 5, "cde", Kind.LINK), Span(8, 9, "i", Kind.LINK)]
    more = [Span(a, b, "x", Kind.NUMBER) for a, b in [(0, 2), (4, 6), (5, 8), (7, 10), (9, 12)]]
    assert [(s.start, s.end) for s in besides(kept, more)] == [
        (0, 2),
        (2, 5),
        (5, 8),
        (8, 9),
        (9, 12),
    ]


@pytest.mark.parametrize(
    "unit", ["a", "{", "<a ", "a@", "http://)", "%(", "{{", "&a", "$", "1.", "[1]"]
)
def test_a_hostile_text_is_read_once(unit) -> None:
    text = unit * (200_000 // len(unit))
    assert "".join(text[s.start : s.end] for s in spans_in(text)) == "".join(found(text))
