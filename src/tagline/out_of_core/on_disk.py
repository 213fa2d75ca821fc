"""The train rows of one machine, with which `fit_spooled` works."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.features.weighting import TermFrequency
from tagline.learners.progress import FitProgress, Report
from tagline.models.linear.problem import LinearProblem, LinearSolution
from tagline.out_of_core.budget import Budget
from tagline.out_of_core.descent import BlockDescent
from tagline.out_of_core.matrix import ENTRY_BYTES, BlockMatrix, encode
from tagline.out_of_core.progress import COUNTING, ENCODING, WEIGHING, Parts
from tagline.out_of_core.spool.dataset import SpooledDataset
from tagline.out_of_core.vocabulary.counted_ngrams import CountedNgrams
from tagline.out_of_core.vocabulary.text_parts import TextParts
from tagline.task import Bools, Floats

_PASSES = 12  # that a fit takes about, for the progress


class RowsOnDisk:
    """The train rows of a dataset: texts, then a matrix in blocks, in the folder of the dataset."""

    def __init__(self, dataset: SpooledDataset, longest: int, budget: Budget, seed: int, report: Report) -> None:
        self.folder, self.text_bytes = dataset.folder, dataset.text_bytes
        self._parts = TextParts(dataset.folder, dataset.n_parts, dataset.part)
        self._budget, self._seed, self._report = budget, seed, report
        self._steps = Parts(report, dataset.n_parts * (longest + 2))
        self._matrix: BlockMatrix | None = None

    @property
    def matrix(self) -> BlockMatrix:
        """The encoded rows."""
        assert self._matrix is not None
        return self._matrix

    @property
    def n_columns(self) -> int:
        """See `SummedRows.n_columns`."""
        return self.matrix.n_columns

    @property
    def n_rows(self) -> int:
        """See `SummedRows.n_rows`."""
        return self.matrix.n_rows

    def token_counts(self) -> Iterator[pl.DataFrame]:
        """See `CountedTexts.token_counts`."""
        return self._steps.each(COUNTING, self._parts.token_counts())

    def number_tokens(self, tokens: pl.Series) -> None:
        """See `CountedTexts.number_tokens`."""
        for _ in self._steps.each(COUNTING, self._parts.number_tokens(tokens)):
            pass

    def ngram_counts(self, counted: CountedNgrams, order: int) -> Iterator[pl.DataFrame]:
        """See `CountedTexts.ngram_counts`."""
        return self._steps.each(COUNTING, self._parts.ngram_counts(counted, order))

    def encode(self, counted: CountedNgrams) -> None:
        """See `TrainRows.encode`."""
        n_entries = sum(int(df.sum()) for df in counted.df)
        n_blocks = 1 + n_entries * ENTRY_BYTES // self._budget.block
        self._matrix = encode(self._parts, counted, self._seed, n_blocks, self._steps.of(ENCODING))

    def column_sums(self, Y: Bools) -> Floats:
        """See `SummedRows.column_sums`."""
        return self.matrix.column_sums(Y)

    def total_weight(self) -> float:
        """See `SummedRows.total_weight`."""
        return self.matrix.total_weight()

    def weigh(self, scale: NDArray[np.float32], tf: TermFrequency, *, unit: bool) -> None:
        """See `TrainRows.weigh`."""
        self.matrix.weigh(scale, tf, unit=unit, step=Parts(self._report, self.matrix.n_blocks).of(WEIGHING))

    def solve(self, problem: LinearProblem, codes_weight: Floats) -> LinearSolution:
        """See `TrainRows.solve`."""

        def passed(n_passes: int, gap: float) -> None:
            stage = f"training, pass {n_passes}, duality gap {gap:.1e}"
            self._report(FitProgress(stage, n_passes, max(_PASSES, n_passes + 1)))

        return BlockDescent(self.matrix, codes_weight, self.folder / "descent", passed).solve(problem)

    def chosen(self) -> dict[str, Any]:
        """See `TrainRows.chosen`."""
        return {}
