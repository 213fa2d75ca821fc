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
