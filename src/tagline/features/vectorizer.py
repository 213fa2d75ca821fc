"""`Vectorizer`: texts to weighted n-grams, each count times a scale, rows of unit length.

Fitting has two steps, as counting is unsupervised and slow, and scaling supervised and fast: ``WordNgrams.fit`` and
``CharNgrams.fit`` once, then `tagline.features.weighting.scale_columns` for each set of training rows.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, get_args

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.errors import InputError
from tagline.features.coverage import coverage
from tagline.features.located import Located
from tagline.features.ngrams import CharNgrams, NgramTable, WordNgrams
from tagline.features.sequences import Sequences
from tagline.features.tokenizer import UNSPACED_PATTERN, Tokenizer
from tagline.features.weighting import TermFrequency, weigh_blocks
from tagline.shared_arrays import shared
from tagline.task import Ints

Block = WordNgrams | CharNgrams


def unspaced_share(vocabulary: pl.Series) -> float:
    """Return the share of tokens that are characters of scripts written without spaces."""
    return int(vocabulary.str.contains(UNSPACED_PATTERN).sum()) / max(1, len(vocabulary))


@dataclass(frozen=True)
class Vectorizer:
    """Fitted n-gram features: blocks of columns side by side, each with its scales.

    ``tf`` is how counts become term frequencies. ``unit`` normalizes the row of each block to unit length, so that
    words and characters have equal weight. ``tokenizer`` splits the texts. ``spreads`` are the standard deviations of
    the occurrence of each column in the training texts; bundles of earlier versions have none.
    """

    blocks: tuple[Block, ...]
    scales: tuple[NDArray[np.float32], ...]
    tf: TermFrequency
    unit: bool
    tokenizer: Tokenizer
    spreads: tuple[NDArray[np.float16], ...] | None = None

    kind: ClassVar[str] = "ngrams"
    unit_name: ClassVar[str] = "n-grams"
    reads_texts: ClassVar[bool] = True

    @property
    def n_columns(self) -> int:
        """The number of n-grams."""
        return sum(len(scale) for scale in self.scales)

    def transform(self, texts: pl.Series) -> sp.csr_matrix:
        """Return the features of ``texts``, (n_texts, n_columns), CSR float64."""
        return self.weigh([block.transform(texts, self.tokenizer) for block in self.blocks])

    def weigh(
        self, counts: Sequence[sp.csr_matrix], rows: Ints | None = None, dtype: type[np.floating] = np.float64
    ) -> sp.csr_matrix:
        """Return the features for counts of n-grams, one matrix per block; of some ``rows`` only, if they are given."""
        return weigh_blocks(counts, self.scales, self.tf, unit=self.unit, rows=rows, dtype=dtype)

    def transform_with_coverage(self, texts: pl.Series) -> tuple[sp.csr_matrix, NDArray[np.float64]]:
        """Return the features of texts, and the share of the n-grams of each that are known: of its words, if used."""
        counts = [block.transform(texts, self.tokenizer) for block in self.blocks]
        return self.weigh(counts), coverage(self.blocks[0], counts[0], self.tokenizer.tokenize(texts))

    def transform_ids(self, sequences: Iterable[Sequence[int]] | Sequences) -> sp.csr_matrix:
        """Raise `InputError`: n-grams need texts."""
        raise InputError("This model was trained on texts and takes no word ids: pass texts.")

    def locate(self, text: str) -> Located:
        """Return where the n-grams of a text occur in it; ``features`` are ``columns``."""
        tokens = self.tokenizer.tokenize(pl.Series([text], dtype=pl.String)).values
        columns, first, last = [], [], []
        offset = 0
        for block, scale in zip(self.blocks, self.scales, strict=True):
            for found, start, end in block.locate(tokens):
                columns.append(found.astype(np.int64) + offset)
                first.append(start)
                last.append(end)
            offset += len(scale)
        every = np.concatenate(columns)
        return Located(
            every, every, np.concatenate(first), np.concatenate(last), self.tokenizer.spans(text), tokens.to_list()
        )

    def names(self, columns: NDArray[np.integer]) -> list[str]:
        """Return the n-gram of each column; character n-grams are quoted, and a space marks the end of a word."""
        names = [""] * len(columns)
        offset = 0
        for block, scale in zip(self.blocks, self.scales, strict=True):
            inside = np.flatnonzero((columns >= offset) & (columns < offset + len(scale)))
            for at, name in zip(inside, block.names(columns[inside].astype(np.int64) - offset), strict=True):
                names[at] = f"“{name}”" if isinstance(block, CharNgrams) else name
            offset += len(scale)
        return names

    def vocabulary(self) -> list[str]:
        """Return the words, the most frequent first; of a vectorizer of characters only, the characters."""
        for block in self.blocks:
            if isinstance(block, WordNgrams):
                return block.vocabulary.to_list()
        return [chr(point) for block in self.blocks if isinstance(block, CharNgrams) for point in block.alphabet]

    def graph_inputs(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the settings and arrays that restore a vectorizer of unweighted counts."""
        arrays = {name: array for name, array in self.arrays().items() if not name.endswith((".scale", ".spread"))}
        return self.settings() | {"tf": "count", "unit": False, "counts": True}, arrays

    def settings(self) -> dict[str, Any]:
        """Return the settings that a bundle's header stores."""
        return {
            "kind": self.kind,
            "tf": self.tf,
            "unit": self.unit,
            "tokenizer": self.tokenizer.settings(),
            "blocks": [
                {
                    "of": block.of,
                    "shortest": block.table.min_n,
                    "longest": len(block.table.keys) + 1,
                }
                for block in self.blocks
            ],
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a bundle stores."""
        arrays: dict[str, NDArray[Any]] = {}
        for block, scale in zip(self.blocks, self.scales, strict=True):
            of = block.of
            arrays[f"{of}.scale"] = scale.astype(np.float16)
            for order, keys in enumerate(block.table.keys, 2):
                arrays |= _pack(f"{of}.{order}", keys, block.table.sizes[order - 2], block.table.n_symbols)
            if isinstance(block, CharNgrams):
                arrays["characters.alphabet"] = block.alphabet.astype(np.uint32)
        if self.spreads is not None:
            arrays |= {f"{block.of}.spread": spread for block, spread in zip(self.blocks, self.spreads, strict=True)}
        return arrays

    def texts(self) -> dict[str, str]:
        """Return the text files that a bundle stores: the words, one per line."""
        words = [block.vocabulary for block in self.blocks if isinstance(block, WordNgrams)]
        return {"words.txt": "".join((words[0] + "\n").to_list())} if words else {}

    def check(self) -> None:
        """Check the n-gram tables and the scales; see `Featurizer.check`."""
        if self.tf not in get_args(TermFrequency) or not isinstance(self.unit, bool):
            raise ValueError("`tf` or `unit` is invalid")
        if not self.blocks or len({type(block) for block in self.blocks}) < len(self.blocks):
            raise ValueError("there must be one or two different blocks of n-grams")
        for block, scale in zip(self.blocks, self.scales, strict=True):
            block.table.check()
            if scale.shape != (block.table.n_columns,):
                raise ValueError(f"there are {scale.shape} scales for {block.table.n_columns:,} n-grams")
            symbols = block.vocabulary if isinstance(block, WordNgrams) else pl.Series(block.alphabet)
            if symbols.n_unique() < len(symbols):
                raise ValueError("a word or character is in the vocabulary twice")
        if self.spreads is not None and [s.shape for s in self.spreads] != [s.shape for s in self.scales]:
            raise ValueError("there must be a spread for each n-gram")

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, str]) -> Self:
        """Return the vectorizer that ``settings``, ``arrays`` and ``texts`` came from."""
        blocks: list[Block] = []
        scales = []
        for about in settings["blocks"]:
            of = about["of"]
            if of == "words":
                vocabulary = pl.Series("token", texts["words.txt"].split("\n")[:-1], dtype=pl.String)
                n_symbols = len(vocabulary)
            else:
                alphabet = arrays["characters.alphabet"].astype(np.int64)
                n_symbols = len(alphabet)
                if (np.diff(alphabet) <= 0).any() or not ((alphabet >= 0) & (alphabet <= sys.maxunicode)).all():
                    raise ValueError("the characters are not code points in ascending order")
            orders = range(2, about["longest"] + 1)
            table = NgramTable(
                n_symbols,
                about["shortest"],
                tuple(shared(_unpack(f"{of}.{order}", arrays, n_symbols)) for order in orders),
            )
            blocks.append(WordNgrams(vocabulary, table) if of == "words" else CharNgrams(alphabet, table))
            scale = np.ones(table.n_columns) if settings.get("counts") else arrays[f"{of}.scale"]
            scales.append(shared(scale.astype(np.float32)))
        tokenizer = Tokenizer.restore(settings.get("tokenizer", {}))  # bundles of earlier versions have the default
        spreads = tuple(arrays[f"{b.of}.spread"] for b in blocks if f"{b.of}.spread" in arrays) or None
        return cls(tuple(blocks), tuple(scales), settings["tf"], settings["unit"], tokenizer, spreads)


def lengths_of(vectorizer: Vectorizer) -> dict[str, list[int]]:
    """Return the shortest and the longest n-gram of each block."""
    return {block.of: [block.table.min_n, len(block.table.keys) + 1] for block in vectorizer.blocks}


def _pack(name: str, keys: NDArray[np.int64], n_prefixes: int, n_symbols: int) -> dict[str, NDArray[Any]]:
    """Store sorted keys in a third of their bytes: the number of keys per prefix, and their last symbols."""
    prefix, last = np.divmod(keys, max(1, n_symbols))
    followers = np.bincount(prefix, minlength=n_prefixes)
    return {f"{name}.followers": _narrow(followers), f"{name}.last": _narrow(last)}


def _unpack(name: str, arrays: Mapping[str, NDArray[Any]], n_symbols: int) -> NDArray[np.int64]:
    followers, last = (arrays[f"{name}.{part}"].astype(np.int64) for part in ("followers", "last"))
    if followers.sum() != last.size:  # before what a damaged array asks for is allocated
        raise ValueError(f"there are {last.size:,} n-grams for {followers.sum():,} followers")
    prefix = np.repeat(np.arange(len(followers)), followers)
    return prefix * n_symbols + last


def _narrow(values: NDArray[np.int64]) -> NDArray[Any]:
    """Return the values in the narrowest unsigned type that holds them."""
    largest = int(values.max()) if len(values) else 0
    return values.astype(np.min_scalar_type(largest))
