"""Classifiers that several modules ask."""

import pytest

from tagline import TextClassifier
from tests.classifier.small_data import data


@pytest.fixture(scope="session")
def fitted():
    """Return what fits a recipe to data of one task, once."""
    done: dict[tuple[str, str], TextClassifier] = {}

    def fit(recipe: str = "fast", task: str = "binary") -> TextClassifier:
        if (recipe, task) not in done:
            done[recipe, task] = TextClassifier(recipe, settings={"model.n_trees": 9}).fit(*data(task))
        return done[recipe, task]

    return fit
