"""The train rows divided among shards that stay where an engine works on them, with which `fit_spooled` works."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.engines.base import Shards, Step
from tagline.features.weighting import TermFrequency
from tagline.learners.progress import Report
from tagline.models.linear.problem import LinearProblem, LinearSolution
from tagline.out_of_core.progress import COUNTING, ENCODING, WEIGHING, Parts
from tagline.out_of_core.shards import shard
from tagline.out_of_core.shards.consensus import Consensus
from tagline.out_of_core.shards.division import DividedTexts
from tagline.out_of_core.spool.dataset import SpooledDataset
from tagline.out_of_core.vocabulary.counted_ngrams import CountedNgrams
from tagline.task import Bools, Floats


class RowsOnShards:
    """The train rows of a dataset on shards; counts, vocabulary and coefficients come together in its folder."""

    def __init__(
        self, dataset: SpooledDataset, longest: int, texts: DividedTexts, shards: Shards, report: Report
    ) -> None:
        self.folder, self.text_bytes = dataset.folder, dataset.text_bytes
        self.n_columns = self.n_rows = self._n_rounds = 0
        self._texts, self._shards, self._report = texts, shards, report
        self._steps = Parts(report, texts.n * (longest + 2))
        for _ in self._steps.each("sending the texts", shards.build(Step(shard.store_texts, own=texts.files))):
            pass

    def token_counts(self) -> Iterator[pl.DataFrame]:
        """See `CountedTexts.token_counts`."""
        return self._steps.each(COUNTING, self._shards.run(Step(shard.count_tokens)))

    def number_tokens(self, tokens: pl.Series) -> None:
        """See `CountedTexts.number_tokens`: shards do it when they count n-grams."""

    def ngram_counts(self, counted: CountedNgrams, order: int) -> Iterator[pl.DataFrame]:
        """See `CountedTexts.ngram_counts`."""
        return self._steps.each(COUNTING, self._shards.run(Step(shard.count_ngrams, (counted, order))))

    def encode(self, counted: CountedNgrams) -> None:
        """See `TrainRows.encode`."""
        self.n_columns = counted.n_columns
        encoded = self._steps.each(ENCODING, self._shards.build(Step(shard.encode_texts, counted)))
        for number, (n_rows, columns) in enumerate(encoded):
            self.n_rows += n_rows
            np.save(self._columns_file(number), columns)

    def column_sums(self, Y: Bools) -> Floats:
        """See `SummedRows.column_sums`."""
        sums = np.zeros((Y.shape[1], self.n_columns))
        for number, own in enumerate(self._shards.run(Step(shard.column_sums, Y))):
            sums[:, self._columns(number)] += own
        return sums

    def total_weight(self) -> float:
        """See `SummedRows.total_weight`."""
        return sum(self._shards.run(Step(shard.total_weight)), 0.0)

    def weigh(self, scale: NDArray[np.float32], tf: TermFrequency, *, unit: bool) -> None:
        """See `TrainRows.weigh`."""
        steps = Parts(self._report, self._texts.n)
        for _ in steps.each(WEIGHING, self._shards.build(Step(shard.weigh, (scale, tf, unit)))):
            pass

    def solve(self, problem: LinearProblem, codes_weight: Floats) -> LinearSolution:
        """See `TrainRows.solve`."""
        columns = [self._columns(number) for number in range(self._texts.n)]
        consensus = Consensus(self._shards, columns, self.folder / "consensus", self._report)
        solution = consensus.solve(problem, codes_weight)
        self._n_rounds = consensus.n_rounds
        return solution

    def chosen(self) -> dict[str, Any]:
        """See `TrainRows.chosen`."""
        return {"shards": self._texts.n, "rounds": self._n_rounds}

    def _columns(self, number: int) -> NDArray[np.int32]:
        found: NDArray[np.int32] = np.load(self._columns_file(number), mmap_mode="r")
        return found

    def _columns_file(self, number: int) -> Path:
        return self.folder / f"columns-{number:05}.npy"
