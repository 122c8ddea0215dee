"""The true Whisper vocabulary, and the small part of it that the demo speaks.

The 51,865 tokens come from the asset ``multilingual.tiktoken`` of openai-whisper (MIT). Training
sees only the tokens of the grammar, the special tokens and the times; all others share one vector
(see ``whisper_net``), which makes a step twenty times cheaper and changes nothing at run time.
"""

import base64
from dataclasses import dataclass, field
from pathlib import Path

import tiktoken

from demo.grammar import sentences

VOCABULARY_SIZE = 51865
END, START = 50257, 50258
LANGUAGE_TOKENS = {"en": 50259, "zh": 50260}
TRANSCRIBE, NO_SPEECH, NO_TIMESTAMPS, FIRST_TIME = 50359, 50362, 50363, 50364
TIMES = 1501

PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def load_encoding(asset: Path) -> tiktoken.Encoding:
    """The byte-pair encoding of Whisper, without its special tokens."""
    lines = (line.split() for line in asset.read_bytes().splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    return tiktoken.Encoding("whisper", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})


@dataclass
class Vocabulary:
    """Numbers the tokens in use 0..n-1: text, special tokens, then the 1,501 times."""

    encoding: tiktoken.Encoding
    used: list[int] = field(init=False)
    compact: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        text: set[int] = set()
        for held_out in (False, True):
            for sentence in sentences(40_000, seed=7, held_out=held_out):
                for language in LANGUAGE_TOKENS:
                    text.update(self.text_tokens(sentence.text(language), language))
        special = [END, START, *LANGUAGE_TOKENS.values(), TRANSCRIBE, NO_SPEECH, NO_TIMESTAMPS]
        self.used = sorted(text) + special
        times = range(FIRST_TIME, FIRST_TIME + TIMES)
        self.compact = {token: index for index, token in enumerate([*self.used, *times])}

    def text_tokens(self, text: str, language: str) -> list[int]:
        """The tokens of one sentence as Whisper writes it: a space before English."""
        return self.encoding.encode((" " if language == "en" else "") + text)

    def offsets(self, text: str, language: str) -> list[tuple[int, int]]:
        """Each token of the sentence with the offset of its first letter in the text."""
        space = 1 if language == "en" else 0
        tokens = self.text_tokens(text, language)
        found, position = [], 0
        for token in tokens:
            piece = self.encoding.decode_single_token_bytes(token)
            spoken = len(piece) - len(piece.lstrip())
            found.append((token, position + spoken))
            position += len(piece)
        written = (" " * space + text).encode()
        return [(token, len(written[:at].decode(errors="ignore")) - space) for token, at in found]
