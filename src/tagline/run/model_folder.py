"""A model by the folder of its bundle or of its run."""

from pathlib import Path

from tagline.classifier import TextClassifier
from tagline.storage import INDEX

MODEL = "model"


def load_model(path: str | Path) -> TextClassifier:
    """Load the bundle in ``path``, or in the folder ``model`` of the run there.

    Raises:
        BundleError: there is none, it is damaged, or a newer tagline wrote it.

    """
    folder = Path(path)
    if not (folder / INDEX).exists() and (folder / MODEL).is_dir():
        folder = folder / MODEL
    return TextClassifier.load(folder)


def known_positive(clf: TextClassifier, positive: str | None) -> str | None:
    """Return the positive one of two classes: as asked for, else as the model was trained, else None."""
    if positive is not None or clf.task_ != "binary":
        return positive
    recorded = clf.card_.get("positive")
    return str(recorded) if recorded in clf.classes_.tolist() else None
