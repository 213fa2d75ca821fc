"""`fit_recipe`: a recipe and texts to fitted features and model. Nothing here looks at a test row or at the clock."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tagline.errors import InputError
from tagline.features.sequences import Sequences
from tagline.learners.base import Bools, Fitted, Floats, Ints
from tagline.learners.feature_cache import Encodings
from tagline.learners.ngram import fit_ngrams
from tagline.learners.word_vectors import check_start
from tagline.parallel import same_on_any_cores
from tagline.recipes import NETWORKS, Recipe

if TYPE_CHECKING:
    from tagline.training import Callback


@same_on_any_cores()
def fit_recipe(
    recipe: Recipe,
    texts: pl.Series | Sequences,
    Y: Bools,
    weights: Floats,
    *,
    multilabel: bool,
    seed: int,
    n_given: int = 0,
    groups: pl.Series | None = None,
    word_index: Mapping[str, int] | None = None,
    callbacks: "Sequence[Callback]" = (),
    checkpoints: Path | None = None,
    folds: Sequence[tuple[Ints, Ints]] | None = None,
    encodings: Encodings | None = None,
    final: bool = True,
    unlabelled: pl.Series | None = None,
) -> Fitted:
    """Fit a recipe to texts, (n_texts,), and their classes ``Y``, (n_texts, n_classes).

    Args:
        recipe: what to fit.
        texts: texts, or for a network sequences of ids.
        Y: the class matrix.
        weights: they multiply the rows, (n_texts,).
        multilabel: whether a text may have several classes.
        seed: of everything random.
        n_given: the last so many rows are validation rows given by the caller.
        groups: rows of one group, (n_texts,), are held out together.
        word_index: words and their ranks, for a network; otherwise they are learnt.
        callbacks: called while a network is trained.
        checkpoints: the folder where the training of a network is kept, and taken up if it was begun.
        folds: train rows and held-out rows, instead of those that the recipe would hold out; a network takes the first.
        encodings: where features are kept for other fits on the same texts in the same order.
        final: learn from all rows in the end, as the recipe says; else stop when the rows held out are judged, and
            return what was learnt without them.
        unlabelled: texts, (n_more,), from which, with those learnt from, the vectors are learnt that an embedding
            starts from.

    Raises:
        InputError: there is nothing to learn from, or too many classes; or word vectors cannot be had.

    """
    check_start(recipe, unlabelled=unlabelled is not None)
    if isinstance(recipe.model, NETWORKS):
        from tagline.learners.network import fit_network  # it needs torch, which nothing else does

        return fit_network(
            recipe,
            texts,
            Y,
            weights,
            multilabel=multilabel,
            seed=seed,
            n_given=n_given,
            groups=groups,
            word_index=word_index,
            callbacks=callbacks,
            checkpoints=checkpoints,
            folds=folds,
            encodings=encodings,
            final=final,
            unlabelled=unlabelled,
        )
    if isinstance(texts, Sequences):
        raise InputError(
            f"`{recipe.recipe.name}` learns from texts, not from ids: take a network, for example `multihot-dense`."
        )
    return fit_ngrams(
        recipe,
        texts,
        Y,
        weights,
        multilabel=multilabel,
        seed=seed,
        n_given=n_given,
        groups=groups,
        folds=folds,
        encodings=encodings,
        final=final,
    )
