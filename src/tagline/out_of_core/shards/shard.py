"""The steps of a shard: what a node does with some of the train rows, whose files are in a folder of its own.

Texts become a matrix of one block with the columns that the shard has, so that all else is as small as its rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.features.weighting import TermFrequency
from tagline.models.linear._solvers import DualDescent, Rows, shuffle
from tagline.models.linear.dual_outputs import DualOutputs, ridges, sweep
from tagline.models.linear.side_by_side import output_groups
from tagline.out_of_core.matrix import BlockMatrix, encode, open_matrix
from tagline.out_of_core.spool.writer import part_file
from tagline.out_of_core.vocabulary.counted_ngrams import CountedNgrams
from tagline.out_of_core.vocabulary.partitions import summed_counts
from tagline.out_of_core.vocabulary.text_parts import TextParts
from tagline.parallel import in_threads
from tagline.task import Bools, Floats

PASSES = 2  # over the rows of a shard in a round

Columns = NDArray[np.int32]
_COLUMNS = "columns.npy"


def store_texts(folder: Path, _: None, files: list[NDArray[np.uint8]]) -> None:
    """Write the texts, files of this machine."""
    for number, content in enumerate(files):
        content.tofile(part_file(folder, number))


def count_tokens(folder: Path, _: None, __: None) -> pl.DataFrame:
    """Return the tokens and in how many texts each occurs."""
    return summed_counts(list(_parts(folder).token_counts()))


def count_ngrams(folder: Path, shared: tuple[CountedNgrams, int], _: None) -> pl.DataFrame:
    """Return the n-grams of an order, whose shorter ones have been counted, and in how many texts each occurs."""
    counted, order = shared
    return summed_counts(list(_numbered(folder, counted).ngram_counts(counted, order)))


def encode_texts(folder: Path, counted: CountedNgrams, _: None) -> tuple[int, Columns]:
    """Replace the texts by counts; return the number of rows, and the n-grams that they have, (n_own,), sorted."""
    path = folder / _COLUMNS
    if not path.exists():
        matrix = encode(_numbered(folder, counted), counted, 0, 1, lambda: None)
        np.save(path, matrix.keep_used_columns())
    return _matrix(folder).n_rows, np.load(path)


def column_sums(folder: Path, Y: Bools, _: None) -> Floats:
    """Return the weight of the rows of each class that have a column, (n_classes, n_own)."""
    return _matrix(folder).column_sums(Y)


def total_weight(folder: Path, _: None, __: None) -> float:
    """Return the weight of the rows."""
    return _matrix(folder).total_weight()


def weigh(folder: Path, shared: tuple[NDArray[np.float32], TermFrequency, bool], _: None) -> None:
    """Replace the counts by features, given the scale of all columns."""
    scale, tf, unit = shared
    _matrix(folder).weigh(scale[np.load(folder / _COLUMNS)], tf, unit=unit, step=lambda: None)


@dataclass(frozen=True, eq=False)
class Round:
    """What the shards have in common in a round; see `BlockDescent` for ``Y`` and ``codes_weight``."""

    number: int
    seed: int
    C: float
    Y: Bools
    codes_weight: Floats


@dataclass(frozen=True, eq=False)
class Share:
    """What a shard begins a round with, and what it returns.

    ``weights``, (n_own + 1, n_outputs), are the coefficients to descend from, or the share of the rows in them; the
    last row are the intercepts. ``alpha``, (n_rows, n_outputs), are the dual variables; None: 0.
    """

    weights: NDArray[np.float32]
    alpha: NDArray[np.float32] | None


def descend(folder: Path, shared: Round, start: Share) -> Share:
    """Do `PASSES` of dual coordinate descent; return the sum of alpha_i y_i (x_i, 1) over the rows, and the alphas."""
    block = _matrix(folder).read(0)
    rows, ridge = Rows.of(block.X), ridges(shared.C, block.weights * shared.codes_weight[block.codes])
    targets = shared.Y[block.codes]
    alpha = np.zeros(targets.shape, dtype=np.float32) if start.alpha is None else start.alpha.copy()

    def descend_group(bounds: tuple[int, int]) -> None:
        outputs, n = slice(*bounds), bounds[1] - bounds[0]
        group = DualOutputs(rows.n_columns, n)
        group.coef[:, :n], group.intercept[:n] = start.weights[:-1, outputs], start.weights[-1, outputs]
        own = np.zeros((rows.size, group.coef.shape[1]), dtype=np.float32)
        own[:, :n] = alpha[:, outputs]
        active = np.full(rows.size, group.bits(group.learning), dtype=np.uint16)
        descent = DualDescent(
            rows, group.targets(targets[:, outputs]), ridge, *group.weights, active, *group.followed, own
        )
        order = np.arange(rows.size, dtype=np.int32)
        for again in range(PASSES):
            shuffle(order, shared.seed, shared.number * PASSES + again)
            sweep(descent, order, group.stepping)
        alpha[:, outputs] = own[:, :n]

    in_threads(descend_group, output_groups(targets.shape[1]))
    signed = np.where(targets, alpha, -alpha)
    # From the alphas alone: what the descent has added up on the way has rounding errors that a lost shard would lose.
    return Share(np.vstack([block.X.T @ signed, signed.sum(axis=0)], dtype=np.float32), alpha)


def _parts(folder: Path) -> TextParts:
    n_files = sum(1 for _ in folder.glob(part_file(folder, 0).name.replace("000000", "*")))
    return TextParts(folder, n_files, lambda number: pl.read_ipc(part_file(folder, number)))


def _numbered(folder: Path, counted: CountedNgrams) -> TextParts:
    """Return the texts with numbers of tokens, of which later stages may need fewer."""
    parts = _parts(folder)
    if not parts.are_numbered:
        _exhaust(parts.number_tokens(counted.tokens))
    return parts


def _exhaust(steps: Iterator[None]) -> None:
    for _ in steps:
        pass


def _matrix(folder: Path) -> BlockMatrix:
    return open_matrix(folder, len(np.load(folder / _COLUMNS, mmap_mode="r")))
