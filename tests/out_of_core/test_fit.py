"""Fits out of core against those in memory, which are the reference."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from tagline.data.options import ReadOptions
from tagline.features.ngrams import WordNgrams
from tagline.features.tokenizer import Tokenizer
from tagline.features.weighting import document_frequency, scale_columns
from tagline.models.linear.problem import LinearProblem, LinearSolution
from tagline.models.linear.svm import fit_linear_svm
from tagline.out_of_core import SpooledDataset
from tagline.out_of_core.descent import VERIFIED_GAP, BlockDescent
from tagline.out_of_core.matrix import BlockMatrix
from tagline.out_of_core.on_disk import RowsOnDisk
from tagline.out_of_core.scales import column_scales
from tagline.out_of_core.vocabulary.counted_ngrams import CountedNgrams
from tagline.out_of_core.vocabulary.counting import count_ngrams
from tagline.out_of_core.vocabulary.partitions import Partitions
from tagline.task import Bools, Floats
from tests.out_of_core.conftest import SMALL, spooled

TOKENIZER = Tokenizer()


def nothing() -> None:
    pass


def train_rows(dataset: SpooledDataset) -> pl.DataFrame:
    return pl.concat([dataset.part(number) for number in range(dataset.n_parts)])


def on_disk(dataset: SpooledDataset) -> RowsOnDisk:
    return RowsOnDisk(dataset, 3, SMALL, 0, lambda seen: None)


def counted_in(dataset: SpooledDataset, most: int = 10**9, min_df: int = 2) -> CountedNgrams:
    return count_ngrams(on_disk(dataset), 3, min_df, most, SMALL)


def encoded(dataset: SpooledDataset, counted: CountedNgrams) -> BlockMatrix:
    rows = on_disk(dataset)
    rows.encode(counted)
    return rows.matrix


def in_memory(texts: pl.Series, min_df: int = 2) -> tuple[WordNgrams, sp.csr_matrix]:
    return WordNgrams.fit(texts, TOKENIZER, 3, min_df)


def matrix_of(matrix: BlockMatrix) -> sp.csr_matrix:
    return sp.vstack([block.X for block in matrix.blocks()], format="csr")


def objectives(X: sp.csr_matrix, Y: Bools, solution: LinearSolution) -> Floats:
    """Return what linear SVMs with squared hinge loss minimise, for each output and ``C`` = 1."""
    margins = np.where(Y, 1.0, -1.0) * (X @ solution.coef + solution.intercept)
    penalty = np.square(solution.coef).sum(axis=0) + np.square(solution.intercept)
    return np.asarray(penalty / 2 + np.square(np.maximum(0.0, 1.0 - margins)).sum(axis=0))


@pytest.mark.parametrize("dtype", [pl.Int64, pl.String])
def test_counts_are_added_exactly(tmp_path: Path, dtype: pl.DataType) -> None:
    rng = np.random.default_rng(0)
    total: dict[int, int] = {}
    sums = Partitions(tmp_path, "numbers", 1_000, 20_000)
    for _ in range(50):
        keys = np.unique(rng.integers(2_000, size=300))
        df = rng.integers(1, 4, size=len(keys))
        sums.add(pl.DataFrame({"key": pl.Series(keys).cast(dtype), "df": df}))
        for key, n in zip(keys.tolist(), df.tolist(), strict=True):
            total[key] = total.get(key, 0) + n
    found = pl.concat(sums.summed(15))
    assert dict(found.cast({"key": pl.Int64}).iter_rows()) == {key: n for key, n in total.items() if n >= 15}
    assert not list(tmp_path.iterdir())


def test_the_vocabulary_is_that_of_memory(rows: pl.DataFrame, tmp_path: Path) -> None:
    dataset = spooled(rows, tmp_path)
    assert dataset.n_parts > 1
    counted = counted_in(dataset)
    block, counts = in_memory(train_rows(dataset)["text"])
    assert counted.tokens.to_list() == block.vocabulary.to_list()
    assert [keys.tolist() for keys in counted.keys] == [keys.tolist() for keys in block.table.keys]
    assert np.concatenate(counted.df).tolist() == document_frequency(counts).tolist()


def test_too_many_ngrams_leave_the_most_frequent(rows: pl.DataFrame, tmp_path: Path) -> None:
    dataset = spooled(rows, tmp_path)
    limited = counted_in(dataset, most=1_500)
    assert limited.min_df > 2
    assert limited.n_columns <= 1_500
    block, counts = in_memory(train_rows(dataset)["text"], limited.min_df)
    assert limited.tokens.to_list() == block.vocabulary.to_list()
    assert [keys.tolist() for keys in limited.keys] == [keys.tolist() for keys in block.table.keys]
    more = WordNgrams.fit(train_rows(dataset)["text"], TOKENIZER, 3, limited.min_df - 1)[0]
    assert more.table.n_columns > 1_500
    assert document_frequency(counts).tolist() == np.concatenate(limited.df).tolist()


@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_scales_are_those_of_memory(rows: pl.DataFrame, tmp_path: Path, *, multilabel: bool, weighted: bool) -> None:
    if multilabel:
        rows = rows.with_columns(label=pl.col("label") + pl.Series(["", "|d", "|e|f", ""] * 1_000))
    if weighted:
        rows = rows.with_columns(weight=pl.Series([0.5, 1.0, 2.0, 0.25, 3.0] * 800))
    dataset = spooled(rows, tmp_path, ReadOptions(weight="weight" if weighted else None))
    counted = counted_in(dataset)
    matrix = encoded(dataset, counted)
    df = np.concatenate(counted.df)
    found = column_scales(matrix, df, dataset.Y, "discriminative", 0.7, SMALL, weighted=weighted)
    blocks = list(matrix.blocks())
    codes = np.concatenate([block.codes for block in blocks])
    weights = np.concatenate([block.weights for block in blocks]) if weighted else None
    expected = scale_columns(matrix_of(matrix), df, dataset.Y[codes], "discriminative", 0.7, 1, weights)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_blocks_fit_into_memory_where_the_first_texts_have_no_known_words(rows: pl.DataFrame, tmp_path: Path) -> None:
    strange = [" ".join(f"id{k}x{i}" for i in range(80)) for k in range(3_000)]
    rows = pl.concat([pl.DataFrame({"text": strange, "label": "c0"}), rows])
    dataset = spooled(rows, tmp_path)
    matrix = encoded(dataset, counted_in(dataset))
    sizes = [block.X.nnz for block in matrix.blocks()]
    assert sum(sizes) == matrix.n_entries
    assert 8 * max(sizes) < 1.3 * SMALL.block


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_fit_reaches_that_of_memory(rows: pl.DataFrame, tmp_path: Path, n_classes: int) -> None:
    dataset = spooled(rows.filter(pl.col("label") != "c2") if n_classes == 2 else rows, tmp_path)
    counted = counted_in(dataset)
    matrix = encoded(dataset, counted)
    assert matrix.n_blocks > 1
    matrix.weigh(np.ones(matrix.n_columns, dtype=np.float32), "log", unit=True, step=nothing)
    Y = dataset.Y[:, 1:] if n_classes == 2 else dataset.Y
    passes: list[float] = []
    descent = BlockDescent(matrix, np.ones(len(Y)), tmp_path / "descent", lambda n, gap: passes.append(gap))
    none = sp.csr_matrix((len(Y), matrix.n_columns), dtype=np.float32)
    found = descent.solve(LinearProblem(none, Y, np.ones(len(Y)), 1.0, 0, exclusive=True))
    X, codes = matrix_of(matrix), np.concatenate([block.codes for block in matrix.blocks()])
    best = fit_linear_svm(LinearProblem(X, Y[codes], np.ones(len(codes)), 1.0, 0, exclusive=True))
    assert len(passes) > 3
    reached, reachable = (objectives(X, Y[codes], solution) for solution in (found, best))
    assert (reached * (1 - VERIFIED_GAP) <= reachable * (1 + 1e-5)).all()
    ours, theirs = X @ found.coef + found.intercept, X @ best.coef + best.intercept
    assert ((ours > 0) == (theirs > 0)).mean() > 0.99


def test_a_stopped_fit_resumes_to_the_same_bytes(rows: pl.DataFrame, tmp_path: Path) -> None:
    dataset = spooled(rows, tmp_path)
    matrix = encoded(dataset, counted_in(dataset))
    matrix.weigh(np.ones(matrix.n_columns, dtype=np.float32), "log", unit=True, step=nothing)
    none = sp.csr_matrix((len(dataset.Y), matrix.n_columns), dtype=np.float32)
    problem = LinearProblem(none, dataset.Y, np.ones(len(dataset.Y)), 1.0, 0, exclusive=True)

    def descent(folder: str, stop_after: int = 10**9) -> BlockDescent:
        def passed(n_passes: int, gap: float) -> None:
            if n_passes == stop_after:
                raise KeyboardInterrupt

        return BlockDescent(matrix, np.ones(len(dataset.Y)), tmp_path / folder, passed)

    undisturbed = descent("undisturbed").solve(problem)
    for stop_after in (1, 4):
        with pytest.raises(KeyboardInterrupt):
            descent("stopped", stop_after).solve(problem)
    resumed = descent("stopped").solve(problem)
    assert resumed.coef.tobytes() == undisturbed.coef.tobytes()
    assert resumed.intercept.tobytes() == undisturbed.intercept.tobytes()
