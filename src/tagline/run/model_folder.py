"""A model by the folder of its bundle or of its run."""

import json
from pathlib import Path

from tagline.classifier import TextClassifier
from tagline.run.folder import MARK
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


def run_of(path: str | Path, fingerprint: str | None) -> Path | None:
    """Return the run folder of a model that was trained on data with this fingerprint, None if it is not here."""
    folder = Path(path).resolve()
    if (folder / INDEX).exists():
        folder = folder.parent
    try:
        found = json.loads((folder / MARK).read_bytes())["dataset"]["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return folder if found == fingerprint else None
