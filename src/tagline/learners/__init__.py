"""Learners fit recipes to labelled texts: choose on held-out rows, calibrate, learn from all.

Nothing here looks at a test row or at the clock.
"""

from tagline.learners.base import FitOptions, Fitted, HeldOut, Learner, TrainingData, TrainingRecord
from tagline.learners.network import NetworkLearner
from tagline.learners.ngram import NgramLearner
from tagline.learners.word_vectors import check_start
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
    check_start(recipe, unlabelled=data.unlabelled is not None)
    return LEARNERS[recipe.features.kind].fit(recipe, data, options or FitOptions())
