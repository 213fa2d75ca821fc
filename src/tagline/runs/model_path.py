"""A model by the folder of its bundle or of its run."""

import json
from pathlib import Path

from tagline.atomic import recover
from tagline.bundle import INDEX
from tagline.classifier import TextClassifier
from tagline.runs.folder import MARK

MODEL = "model"


def load_model(path: str | Path) -> TextClassifier:
    """Load the bundle or the export in ``path``, or the bundle in the folder ``model`` of the run there.

    Raises:
        BundleError: there is none, it is damaged, or a newer tagline wrote it.

    """
    return TextClassifier.load(model_folder(path))


def model_folder(path: str | Path) -> Path:
    """Return the folder of a model: ``path``, or the folder ``model`` of the run there."""
    folder = Path(path)
    recover(folder)
    return folder / MODEL if not (folder / INDEX).exists() and (folder / MODEL).is_dir() else folder


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
