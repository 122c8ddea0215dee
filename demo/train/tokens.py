"""The true Whisper vocabulary, and the small part of it that the demo speaks.

The 51,865 tokens are those of the tokenizer that ships with the model. Training sees only the
tokens of the grammar and of made-up names, the special tokens and the times; all others share one
vector (see ``whisper_net``), which makes a step many times cheaper and changes nothing at run time.
"""

from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import Tokenizer

from demo.grammar import sentences
from demo.names import BEGINNINGS, ENDINGS

SHIPPED = Path(__file__).parents[1] / "models" / "whisper-demo"

VOCABULARY_SIZE = 51865
END, START = 50257, 50258
LANGUAGE_TOKENS = {"en": 50259, "zh": 50260}
TRANSLATE, TRANSCRIBE, PREVIOUS, NO_SPEECH = 50358, 50359, 50361, 50362
NO_TIMESTAMPS, FIRST_TIME = 50363, 50364
TIMES = 1501
LIST_SIGN = ","  # between the terms of a prompt


@dataclass
class Vocabulary:
    """Numbers the tokens in use 0..n-1: text, special tokens, then the 1,501 times; one more number
    stands for every other token. The tokens of the grammar are found in so many sentences."""

    tokenizer: Tokenizer
    drawn: int = 40_000
    used: list[int] = field(init=False)
    compact: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        text = set(self.encode(LIST_SIGN))
        text.update(*map(self.encode, _pieces_of_names()))
        for held_out in (False, True):
            for sentence in sentences(self.drawn, seed=7, held_out=held_out):
                for language in LANGUAGE_TOKENS:
                    text.update(self.text_tokens(sentence.text(language), language))
        special = [END, START, *LANGUAGE_TOKENS.values(), TRANSCRIBE, PREVIOUS, NO_SPEECH]
        self.used = [*sorted(text), *special, NO_TIMESTAMPS]
        times = range(FIRST_TIME, FIRST_TIME + TIMES)
        self.compact = {token: index for index, token in enumerate([*self.used, *times])}

    @property
    def shared(self) -> int:
        """The number of every token that is not in use."""
        return len(self.compact)

    def numbers(self, tokens: list[int]) -> list[int]:
        """Those of these tokens."""
        return [self.compact.get(token, self.shared) for token in tokens]

    def encode(self, text: str) -> list[int]:
        """The tokens of a text as it stands."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def text_tokens(self, text: str, language: str) -> list[int]:
        """The tokens of one sentence as Whisper writes it: a space before English."""
        return self.encode(_written(text, language))

    def offsets(self, text: str, language: str) -> list[tuple[int, int]]:
        """Each token of the sentence with the offset of its first letter in the text."""
        written = _written(text, language)
        found = self.tokenizer.encode(written, add_special_tokens=False)
        before = len(written) - len(text)
        return [
            (token, start + (written[start] == " ") - before)
            for token, (start, _) in zip(found.ids, found.offsets, strict=True)
        ]


def load_vocabulary(model: Path, drawn: int = 40_000) -> Vocabulary:
    """That of a model's directory."""
    return Vocabulary(Tokenizer.from_file(str(model / "tokenizer.json")), drawn)


def _written(text: str, language: str) -> str:
    return f" {text}" if language == "en" else text


def _pieces_of_names() -> list[str]:
    """What made-up names are written with; each of them is one token."""
    beginnings = [f" {piece}" for sisters in BEGINNINGS for piece in sisters]
    return [*beginnings, *(piece for sisters in ENDINGS for piece in sisters)]
