"""Learners fit recipes to labelled texts: choose on held-out rows, calibrate, learn from all.

Nothing here looks at a test row or at the clock.
"""

from collections.abc import Sequence

from tagline.errors import InputError
from tagline.learners.base import FitOptions, Fitted, HeldOut, Learner, TrainingData, TrainingRecord
from tagline.learners.network.learner import NetworkLearner
from tagline.learners.network.word_vectors import check_start
from tagline.learners.ngram import NgramLearner
from tagline.parallel import same_on_any_cores
from tagline.recipes import Recipe

__all__ = ["LEARNERS", "FitOptions", "Fitted", "HeldOut", "Learner", "TrainingData", "TrainingRecord", "fit_recipe"]

LEARNERS: dict[str, Learner] = {  # by `features.kind` of a recipe
    "ngrams": NgramLearner(),
    "multihot": NetworkLearner(),
    "sequence": NetworkLearner(),
}


@same_on_any_cores()
def fit_recipe(recipe: Recipe, data: TrainingData, options: FitOptions | None = None) -> Fitted:
    """Fit a recipe to labelled texts, with the learner of its features; the same on any number of cores.

    Raises:
        InputError: there is nothing to learn from, or too many classes; or word vectors cannot be had.
        MissingExtraError: the recipe is a network, and the extra ``neural`` is not installed.

    """
    options = options or FitOptions()
    check_start(recipe, unlabelled=data.unlabelled is not None)
    _check_callbacks(recipe, options)
    return LEARNERS[recipe.features.kind].fit(recipe, data, options)


def _check_callbacks(recipe: Recipe, options: FitOptions) -> None:
    if not isinstance(options.callbacks, Sequence):
        raise InputError(f"`callbacks` must be a list of `tagline.training.Callback`, not `{options.callbacks!r}`.")
    if not options.callbacks:
        return
    if recipe.training is None:
        raise InputError(f"`callbacks` are called while a network is trained, and `{recipe.recipe.name}` is not one.")
    from tagline.training import Callback  # it imports torch

    for callback in options.callbacks:
        if not isinstance(callback, Callback):
            raise InputError(f"`callbacks` has a `{type(callback).__name__}`, not a `tagline.training.Callback`.")
