"""Rows divided among shards: vocabulary and scales are those of one machine, and the fit comes close."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from tagline.data.options import ReadOptions
from tagline.engines import LOCAL
from tagline.learners.progress import FitProgress, Report
from tagline.models.linear.problem import LinearProblem, LinearSolution
from tagline.models.linear.svm import fit_linear_svm
from tagline.out_of_core import SpooledDataset, open_spool
from tagline.out_of_core.scales import column_scales
from tagline.out_of_core.shards.division import divide
from tagline.out_of_core.shards.on_shards import RowsOnShards
from tagline.out_of_core.vocabulary.counted_ngrams import CountedNgrams
from tagline.out_of_core.vocabulary.counting import count_ngrams
from tests.out_of_core.conftest import SMALL, spooled
from tests.out_of_core.test_fit import matrix_of, nothing, objectives, on_disk, train_rows


@contextmanager
def on_shards(dataset: SpooledDataset, report: Report = lambda seen: None) -> Iterator[RowsOnShards]:
    texts = divide(dataset, 0, SMALL, nothing)
    with LOCAL.shards(texts.n) as shards:
        yield RowsOnShards(dataset, 3, texts, shards, report)


def copied(dataset: SpooledDataset, options: ReadOptions, name: str = "copy") -> SpooledDataset:
    """Return the dataset in another folder, as its texts are removed when they are encoded."""
    return open_spool(copytree(dataset.folder, dataset.folder.with_name(name)), options)


def solved(rows: RowsOnShards, counted: CountedNgrams, problem: LinearProblem) -> LinearSolution:
    rows.encode(counted)
    rows.weigh(np.ones(counted.n_columns, dtype=np.float32), "log", unit=True)
    return rows.solve(problem, np.ones(len(problem.Y)))


def problem_of(dataset: SpooledDataset, counted: CountedNgrams, n_classes: int) -> LinearProblem:
    Y = dataset.Y[:, 1:] if n_classes == 2 else dataset.Y
    none = sp.csr_matrix((len(Y), counted.n_columns), dtype=np.float32)
    return LinearProblem(none, Y, np.ones(len(Y)), 1.0, 0, exclusive=True)


def test_no_row_is_lost_or_doubled(rows: pl.DataFrame, tmp_path: Path) -> None:
    dataset = spooled(rows, tmp_path)
    before = train_rows(dataset).sort(pl.all())
    divided = divide(dataset, 0, SMALL, nothing)
    shards = [pl.concat([pl.read_ipc(file.tobytes()) for file in divided.files(k)]) for k in range(divided.n)]
    assert pl.concat(shards).sort(pl.all()).equals(before)
    codes = before["code"].unique().to_list()
    assert all(sorted(shard["code"].unique()) == codes for shard in shards)
    again = divide(dataset, 0, SMALL, nothing)
    assert [file.tobytes() for file in again.files(3)] == [file.tobytes() for file in divided.files(3)]


@pytest.mark.parametrize(("most", "weighted"), [(10**9, False), (1_500, False), (10**9, True)])
def test_vocabulary_and_scales_are_those_of_one_machine(
    rows: pl.DataFrame, tmp_path: Path, most: int, *, weighted: bool
) -> None:
    rows = rows.with_columns(weight=pl.Series([0.5, 1.0, 2.0, 0.25, 3.0] * 800))
    options = ReadOptions(weight="weight" if weighted else None)
    dataset = spooled(rows, tmp_path, options)
    here = on_disk(copied(dataset, options))
    expected = count_ngrams(here, 3, 2, most, SMALL)
    here.encode(expected)
    df = np.concatenate(expected.df)

    with on_shards(dataset) as there:
        counted = count_ngrams(there, 3, 2, most, SMALL)
        there.encode(counted)
        found, scale = (
            column_scales(each, df, dataset.Y, "discriminative", 0.7, SMALL, weighted=weighted)
            for each in (there, here)
        )
    assert counted.min_df == expected.min_df
    assert counted.tokens.to_list() == expected.tokens.to_list()
    assert [keys.tolist() for keys in counted.keys] == [keys.tolist() for keys in expected.keys]
    assert [each.tolist() for each in counted.df] == [each.tolist() for each in expected.df]
    assert there.n_rows == here.n_rows
    if weighted:  # sums of fractions depend on their order
        np.testing.assert_allclose(found, scale, rtol=1e-3)
    else:
        assert found.tolist() == scale.tolist()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_fit_comes_close_to_that_of_memory(rows: pl.DataFrame, tmp_path: Path, n_classes: int) -> None:
    dataset = spooled(rows.filter(pl.col("label") != "c2") if n_classes == 2 else rows, tmp_path)
    here = on_disk(copied(dataset, ReadOptions()))
    counted = count_ngrams(here, 3, 2, 10**9, SMALL)
    here.encode(counted)
    here.weigh(np.ones(counted.n_columns, dtype=np.float32), "log", unit=True)
    problem = problem_of(dataset, counted, n_classes)
    with on_shards(dataset) as there:
        found = solved(there, counted, problem)
        assert there.chosen()["shards"] >= 16
        assert 10 < there.chosen()["rounds"] < 40

    X, codes = matrix_of(here.matrix), np.concatenate([block.codes for block in here.matrix.blocks()])
    Y = problem.Y[codes]
    best = fit_linear_svm(LinearProblem(X, Y, np.ones(len(codes)), 1.0, 0, exclusive=True))
    reached, reachable = (objectives(X, Y, solution) for solution in (found, best))
    assert (reached < 1.01 * reachable).all(), reached / reachable
    ours, theirs = X @ found.coef + found.intercept, X @ best.coef + best.intercept
    assert ((ours > 0) == (theirs > 0)).mean() > 0.99


class StoppedError(Exception):
    """The interruption of a fit in this test."""


def test_a_stopped_fit_resumes_to_the_same_bytes(rows: pl.DataFrame, tmp_path: Path) -> None:
    dataset = spooled(rows.sample(1_000, seed=0), tmp_path)
    stopped = copied(dataset, ReadOptions())

    def stop(seen: FitProgress) -> None:
        if seen.stage == "training, round 4":
            raise StoppedError

    with on_shards(dataset) as there:
        counted = count_ngrams(there, 3, 2, 10**9, SMALL)
        problem = problem_of(dataset, counted, 3)
        undisturbed = solved(there, counted, problem)
    with pytest.raises(StoppedError), on_shards(stopped, stop) as there:
        solved(there, counted, problem)
    with on_shards(open_spool(stopped.folder, ReadOptions())) as there:
        resumed = solved(there, counted, problem)
    assert resumed.coef.tobytes() == undisturbed.coef.tobytes()
    assert resumed.intercept.tobytes() == undisturbed.intercept.tobytes()
