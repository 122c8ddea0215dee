"""Tables for nmt-demo: every pair of the grammar on held-out sentences."""

import random
from collections.abc import Iterator
from pathlib import Path

import ctranslate2
import sacrebleu
import sentencepiece

from demo.grammar import LANGUAGES, Sentence, sentences
from demo.sample import expected_text

Rows = list[dict[str, str]]

_BLEU_TOKENS = {"en": "13a", "de": "13a", "zh": "zh", "ja": "char"}
_FULL_STOPS = ".。"


class Translator:
    """The shipped model, called as its ``fanscribe.json`` says."""

    def __init__(self, folder: Path) -> None:
        tokenizer = str(folder / "sentencepiece.model")
        self._pieces = sentencepiece.SentencePieceProcessor(model_file=tokenizer)
        self._model = ctranslate2.Translator(str(folder), device="cpu", compute_type="int8")

    def translate(self, texts: list[str], source: str, target: str) -> list[str]:
        """The texts in the target language."""
        lines = [
            [f"__{source}__", *self._pieces.encode(text, out_type=str), "</s>"] for text in texts
        ]
        results = self._model.translate_batch(
            lines,
            target_prefix=[[f"__{target}__"]] * len(lines),
            beam_size=1,
            max_batch_size=32,
        )
        return [self._pieces.decode(result.hypotheses[0][1:]) for result in results]


def translation_tables(folder: Path, *, count: int) -> Iterator[tuple[str, Rows]]:
    """One table by pair, one for texts that differ from clean single sentences."""
    translator = Translator(folder)
    known = sentences(count, seed=50, held_out=True)
    pairs = [(one, two) for one in LANGUAGES for two in LANGUAGES if one != two]
    rows = [_pair(translator, known, source, target) for source, target in pairs]
    yield f"nmt-demo: {count} held-out sentences a pair", rows
    yield "nmt-demo: other inputs", _other_inputs(translator, known)


def _pair(
    translator: Translator, known: list[Sentence], source: str, target: str
) -> dict[str, str]:
    meant = [sentence.text(target) for sentence in known]
    given = translator.translate([sentence.text(source) for sentence in known], source, target)
    tokens = _BLEU_TOKENS[target]
    return {
        "pair": f"{source} → {target}",
        "chrF": f"{sacrebleu.corpus_chrf(given, [meant]).score:.2f}",
        "BLEU": f"{sacrebleu.corpus_bleu(given, [meant], tokenize=tokens).score:.2f}",
        "exactly right": _share(given, meant),
        "dropped or added": str(_miscounted(given, meant)),
    }


def _other_inputs(translator: Translator, known: list[Sentence]) -> Rows:
    chance = random.Random(1)
    rows = []
    for source, target in (("en", "zh"), ("en", "de"), ("zh", "en"), ("zh", "ja")):
        pairs = list(zip(known[::2], known[1::2], strict=False))
        kinds = {
            "two sentences at once": (
                [expected_text(pair, source) for pair in pairs],
                [expected_text(pair, target) for pair in pairs],
            ),
            "no full stop": (
                [sentence.text(source)[:-1] for sentence in known],
                [sentence.text(target) for sentence in known],
            ),
            "one wrong letter": (
                [_misheard(sentence.text(source), chance) for sentence in known],
                [sentence.text(target) for sentence in known],
            ),
        }
        for kind, (texts, meant) in kinds.items():
            given = translator.translate(texts, source, target)
            rows.append(
                {
                    "pair": f"{source} → {target}",
                    "input": kind,
                    "chrF": f"{sacrebleu.corpus_chrf(given, [meant]).score:.2f}",
                    "exactly right": _share(given, meant),
                    "dropped or added": str(_miscounted(given, meant)),
                }
            )
    return rows


def _misheard(text: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(text) - 1)
    return text[:at] + text[at + 1 :]


def _share(given: list[str], meant: list[str]) -> str:
    right = sum(one == two for one, two in zip(given, meant, strict=True))
    return f"{100 * right / len(meant):.1f} %"


def _miscounted(given: list[str], meant: list[str]) -> int:
    """How many outputs have another number of sentences than they should."""
    pairs = zip(given, meant, strict=True)
    return sum(_sentences_in(one) != _sentences_in(two) for one, two in pairs)


def _sentences_in(text: str) -> int:
    return sum(text.count(stop) for stop in _FULL_STOPS)
