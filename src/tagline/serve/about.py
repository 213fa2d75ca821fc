"""What `/v1/model` tells of a model, made once when it is loaded."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from tagline.classifier import TextClassifier


def about_served(path: Path, classifier: TextClassifier) -> dict[str, Any]:
    """Return the facts of a model, ready for JSON."""
    try:
        from tagline.web.about import about_model
    except ImportError:
        facts: dict[str, Any] = {
            "title": str(classifier.recipe_.recipe.name),
            "task": classifier.task_,
            "classes": [str(name) for name in classifier.classes_],
        }
    else:
        facts = about_model(path, classifier)
    return {**facts, "tagline": version("tagline")}
