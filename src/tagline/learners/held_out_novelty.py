"""The scores of held-out rows that `Novelty` compares texts with."""

import numpy as np
import polars as pl
import scipy.sparse as sp

from tagline.decisions.novelty import Novelty
from tagline.features.coverage import coverage
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Block
from tagline.features.weighting import document_frequency
from tagline.learners.base import Folds
from tagline.task import Floats


def held_out_novelty(
    block: Block,
    counts: sp.csr_matrix,
    texts: pl.Series,
    tokenizer: Tokenizer,
    min_df: int,
    folds: Folds,
    proba: Floats,
) -> Novelty:
    """Return confidence and coverage of the held-out rows, as a model that has not seen them gives them.

    Only n-grams that occur in ``min_df`` training rows of a fold are known in it.

    Args:
        block: the n-grams of all rows whose coverage counts.
        counts: of all rows, (n_texts, n_columns).
        texts: of all rows, (n_texts,).
        tokenizer: splits them.
        min_df: in how many texts an n-gram must occur.
        folds: training and held-out rows.
        proba: calibrated probabilities of the held-out rows, (n_held_out, n_classes), one fold after the other.

    """
    covered = []
    for train, held in folds:
        known = document_frequency(counts[train]) >= min_df
        covered.append(coverage(block, counts[held], tokenizer.tokenize(texts[held]), known))
    return Novelty.of(proba.max(axis=1), np.concatenate(covered))
