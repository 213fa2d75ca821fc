"""What the page says of a model: its figures, its data and its card."""

from pathlib import Path
from typing import Any

from tagline.classifier import TextClassifier


def about_model(model_path: str | Path, clf: TextClassifier) -> dict[str, Any]:
    """Return what the page says of a model."""
    recipe = clf.recipe_.recipe
    return {
        "title": recipe.name,
        "recipe": {"name": recipe.name, "summary": recipe.summary},
        "task": clf.task_,
        "classes": [str(name) for name in clf.classes_],
        "positive": clf.positive_,
        "threshold": clf.threshold_,
        "data": {"name": "", "rows": {}, "facts": []},
        "trained": None,
        "figures": None,
        "calibration": None,
        "curves": None,
        "examples": [],
        "card": [],
    }
