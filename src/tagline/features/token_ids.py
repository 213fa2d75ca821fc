"""The tokens of texts as integers, by compiled code. Import it only if ``tagline.compiled.COMPILED``."""

from threading import get_ident

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.errors import InputError
from tagline.features._core.arrow import Texts
from tagline.features._core.vocabulary import Interner, Vocabulary, renumber
from tagline.features.tokenizer import Tokenizer
from tagline.parallel import in_threads
from tagline.task import Ints

Ids = NDArray[np.int32]

_MOST_TOKENS = 2**31 - 1  # positions of tokens are 32-bit integers
_Block = tuple[Ids, Ints]  # ids, and the end of each text among them


def intern(texts: pl.Series, tokenizer: Tokenizer) -> tuple[Ids, Ints, pl.Series]:
    """Return the tokens of texts as ids, (n_tokens,), the end of each text among them, and the distinct tokens.

    ``ends`` is (n_texts + 1,), from 0 on: text i has the tokens ``ends[i]`` to ``ends[i + 1]``. Ids number the tokens
    by first occurrence, on any number of cores. Raises `InputError` for more than 2³¹ - 1 tokens.
    """
    column = Texts(texts)
    interners: dict[int, Interner] = {}

    def read(block: tuple[int, int]) -> tuple[_Block, Interner, int, int]:
        # A thread has one interner, and comes to its blocks in order.
        if get_ident() not in interners:
            interners[get_ident()] = _interner(tokenizer)
        own = interners[get_ident()]
        known = len(own)
        return own.add(column, *block), own, known, len(own)

    blocks = in_threads(read, column.blocks())
    parts, ends = _ends([block for block, *_ in blocks])
    if len(interners) < 2:
        (merged,) = interners.values() or [_interner(tokenizer)]
        return _concatenated(parts), ends, pl.Series(merged.strings())
    merged = _interner(tokenizer)
    numbers = {id(each): np.zeros(len(each), dtype=np.int32) for each in interners.values()}
    for _, own, first, last in blocks:
        merged.merge(own, first, last, numbers[id(own)])
    starts = np.cumsum([0, *map(len, parts)])
    ids = np.empty(starts[-1], dtype=np.int32)

    def write(number: int) -> None:
        renumber(parts[number], numbers[id(blocks[number][1])], ids[starts[number] : starts[number + 1]])

    in_threads(write, range(len(parts)))
    return ids, ends, pl.Series(merged.strings())


def look_up(texts: pl.Series, vocabulary: Vocabulary) -> tuple[Ids, Ints]:
    """Return the ids of the tokens of texts, (n_tokens,), -1 for unknown ones, and the ends, as `intern`."""
    column = Texts(texts)
    blocks = in_threads(lambda block: vocabulary.look_up(column, *block), column.blocks())
    parts, ends = _ends(blocks)
    return _concatenated(parts), ends


def make_vocabulary(tokens: pl.Series, tokenizer: Tokenizer) -> Vocabulary:
    """Return the ids of some tokens, their positions; the most frequent ones should come first."""
    return Vocabulary(Texts(tokens), tokenizer.rule, tokenizer.nfc, tokenizer.stop_words)


def split(texts: pl.Series, rule: str, *, nfc: bool) -> tuple[pl.Series, Ints]:
    """Return the tokens of texts by a rule, one after the other, and their number per text, on one core."""
    interner = Interner(rule, nfc, ())
    column = Texts(texts)
    ids, ends = interner.add(column, 0, len(column))
    return pl.Series(interner.strings()).gather(ids), np.diff(ends, prepend=0)


def _interner(tokenizer: Tokenizer) -> Interner:
    return Interner(tokenizer.rule, tokenizer.nfc, tokenizer.stop_words)


def _ends(blocks: list[_Block]) -> tuple[list[Ids], Ints]:
    """Return the ids of each block, and where each text of all ends."""
    starts = np.cumsum([0, *(len(ids) for ids, _ in blocks)])
    if starts[-1] > _MOST_TOKENS:
        raise InputError(f"The texts have {starts[-1]:,} tokens, more than {_MOST_TOKENS:,}: use fewer texts at once.")
    ends = [start + ends for start, (_, ends) in zip(starts, blocks, strict=False)]
    return [ids for ids, _ in blocks], np.concatenate([np.zeros(1, dtype=np.int64), *ends])


def _concatenated(parts: list[Ids]) -> Ids:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)
