"""The scores of held-out rows that `Novelty` compares texts with."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from tagline.decisions.novelty import Novelty, kept_rows
from tagline.features.coverage import coverage
from tagline.features.sequences import Sequences
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Block
from tagline.features.weighting import document_frequency
from tagline.learners.base import Folds, TrainingData
from tagline.learners.holdout import row_units
from tagline.many_classes import Probabilities
from tagline.task import Ints


@dataclass(frozen=True, eq=False)
class FinalFit:
    """What the final model knows: n-grams that occur in ``min_df`` of ``rows``, (n_rows,); None: of all rows.

    ``counts`` are those of all rows, (n_texts, n_columns). The columns ``known``, (n_known,), are known in any case:
    earlier texts have them.
    """

    block: Block
    counts: sp.csr_matrix
    tokenizer: Tokenizer
    min_df: int
    rows: Ints | None
    known: Ints | None = None


def held_out_novelty(data: TrainingData, folds: Folds, fit: FinalFit, proba: Probabilities | None) -> Novelty | None:
    """Return confidence and coverage of the held-out rows, as a model that has not seen them gives them.

    The confidence is that of the models of the folds. For the coverage, an n-gram of a row is known if enough rows of
    the final fit have it without those of the same unit, copies and rows of the same group: each unit is left out in
    turn, unless all held-out rows are. So the coverage of a new text is no lower than that of a row drawn like it.
    ``proba`` are the calibrated probabilities of the rows, (n_held_out, n_classes), one fold after the other; without
    them there is no novelty.
    """
    if proba is None:
        return None
    assert not isinstance(data.texts, Sequences)
    held = np.concatenate([rows for _, rows in folds])
    scored = kept_rows(len(held))
    df = document_frequency(fit.counts, fit.rows)
    if fit.known is not None:
        df[fit.known] += len(data) + fit.min_df
    if fit.rows is None:
        unit = row_units(data, held)
        scored = np.flatnonzero(np.isin(unit, unit[scored]))  # and the other rows of their units
    counts = fit.counts[held[scored]]
    others = df[counts.indices]
    if fit.rows is None:
        others -= _in_units(counts, unit[scored])
    counts.data = np.where(others >= fit.min_df, counts.data, 0)
    covered = np.zeros(len(held))
    covered[scored] = coverage(fit.block, counts, fit.tokenizer.tokenize(data.texts[held[scored]]))
    return Novelty.of(proba.max(axis=1), covered)


def _in_units(counts: sp.csr_matrix, unit: Ints) -> Ints:
    """Return for each entry in how many rows of its unit, of (n_rows,), its column occurs, (n_entries,)."""
    row = np.repeat(np.arange(len(unit)), np.diff(counts.indptr))
    found = np.ones(len(row), dtype=np.int64)
    shared = np.flatnonzero((np.bincount(unit) > 1)[unit[row]])  # most units are single rows
    keys = unit[row[shared]] * counts.shape[1] + counts.indices[shared]
    _, place, n = np.unique(keys, return_inverse=True, return_counts=True)
    found[shared] = n[place]
    return found
