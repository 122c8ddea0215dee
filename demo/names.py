"""Names that nobody has, whose sound does not say how they are spelt, and sentences with them.

A name is a beginning and an ending, and most of these have sisters that sound the same: only who is
told the name can know whether it is Kanwyn, Canwyn, Kanwin or Canwin. Each piece is one token
of Whisper, so that a very small model can learn it. There are thousands of names. One in ten,
chosen by a stable hash, is held out: training never sees it, so that what is measured on these is
how a model takes in a name that it is only told.
"""

from __future__ import annotations

import random
import re
import zlib
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer

from demo.grammar import sentences

_BEGINNINGS = """
    Kar,Car Kam,Cam Kat,Cat Kan,Can Kap,Cap Kur,Cur Klar,Clar Kris,Chris Phil,Fil Phar,Far Ger,Jer
    Gen,Jen Gin,Jin Sim,Sym Sin,Syn Sil,Syl Sir,Cir Lin,Lyn Ber,Bir Ter,Tir Her,Hir Ser,Cer Fer,Fir
    Ver,Vir Tom,Thom Cel,Sel Cen,Sen Wen,When Wit,Whit Nik,Nick Vik,Vic Jak,Jack Pak,Pack
    Tak,Tack Hak,Hack
    Dor Tal Bran Gar Hel Lor Mon Pel Sol Tar Vel Bor Gor Mor Nor San Tor Val Wil Ben Dan Mer
    Gal Bal Hal Rad Dav Sab Brad
"""
_ENDINGS = """
    ley,ly,lie ny,nie,ney don,den by,bie dy,die ry,rie,rey my,mie ric,rick ner,nor ler,lor mer,mor
    ver,vor wyn,win fin,phin fy,phy berg,burg jin,gin ger,jer
    back wick ford ton man land field well stone ham bert wood worth borg ven
"""
_HELD_OUT_ONE_IN = 10
_SOMEBODY = re.compile(r"\b(?:Anna|Peter|Maria|Thomas)\b")
_TOKENIZER = Path(__file__).parent / "models" / "whisper-demo" / "tokenizer.json"

Pieces = tuple[tuple[str, ...], ...]


def _table(words: str) -> Pieces:
    """Pieces that sound the same, together."""
    return tuple(tuple(sisters.split(",")) for sisters in words.split())


BEGINNINGS, ENDINGS = _table(_BEGINNINGS), _table(_ENDINGS)


def is_held_out(name: str) -> bool:
    """Whether training must never see this name."""
    return zlib.crc32(name.encode()) % _HELD_OUT_ONE_IN == 0


@cache
def spellings() -> dict[str, tuple[int, int]]:
    """Every name, with the numbers of its beginning and its ending: names of the same numbers sound
    the same. Letters that Whisper would write in other pieces make no name."""
    tokenizer = Tokenizer.from_file(str(_TOKENIZER))
    found = {}
    for first, beginnings in enumerate(BEGINNINGS):
        for last, endings in enumerate(ENDINGS):
            for beginning in beginnings:
                for ending in endings:
                    written = tokenizer.encode(f" {beginning}{ending}", add_special_tokens=False)
                    if [tokenizer.decode([token]) for token in written.ids] == [
                        f" {beginning}",
                        ending,
                    ]:
                        found[f"{beginning}{ending}"] = (first, last)
    return found


@cache
def sisters(name: str) -> tuple[str, ...]:
    """The other spellings of this sound."""
    known = spellings()
    return tuple(other for other in known if known[other] == known[name] and other != name)


@cache
def _pool(*, held_out: bool) -> tuple[str, ...]:
    return tuple(name for name in spellings() if is_held_out(name) == held_out)


def names(count: int, *, seed: int, held_out: bool) -> list[str]:
    """Distinct names, no two of one sound, the same for the same seed. There are about 400 sounds
    of names that are held out, and 1,500 others."""
    source = random.Random(f"names/{seed}/{held_out}")
    known, pool = spellings(), _pool(held_out=held_out)
    if count > (sounds := len({known[name] for name in pool})):
        raise ValueError(f"There are {sounds} sounds of such names, not {count}.")
    found: dict[tuple[int, int], str] = {}
    while len(found) < count:
        name = source.choice(pool)
        found.setdefault(known[name], name)
    return list(found.values())


def named_sentences(count: int, *, seed: int, held_out: bool) -> list[tuple[str, str]]:
    """English sentences with a made-up name in them, and that name."""
    pool = iter(names(count, seed=seed, held_out=held_out))
    found: list[tuple[str, str]] = []
    batch = 0
    while len(found) < count:
        batch += 1
        for sentence in sentences(4 * count, seed=seed * 1000 + batch, held_out=held_out):
            text = sentence.text("en")
            if len(found) < count and _SOMEBODY.search(text):
                name = next(pool)
                found.append((_SOMEBODY.sub(name, text, count=1), name))
    return found
