"""The model of a run, and the run of a model."""

from pathlib import Path
from typing import TYPE_CHECKING

from tagline.bundle import INDEX, bundle_folder
from tagline.errors import BundleError, InputError
from tagline.run_folder.folder import RunFolder
from tagline.run_folder.place import looks_like_url

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier


def model_folder(path: str | Path) -> Path:
    """Return the folder of a bundle: ``path``, or the folder ``model`` of the run there.

    Raises:
        BundleError: ``path`` is an evaluation, which has no model, or a URL.

    """
    if looks_like_url(path):  # which is not repeated, as it may hold a password
        raise BundleError("A model is read from the disk, not from a URL: download its folder and name that.")
    folder = bundle_folder(path)
    if (folder / INDEX).exists():
        return folder
    try:
        evaluated = RunFolder(folder).record.get("evaluated")
    except InputError:  # no run: reading the model says so
        return folder
    if evaluated:
        raise BundleError(
            f"`{folder}` is an evaluation and has no model: name the model that was evaluated, `{evaluated['model']}`."
        )
    return folder


def load_model(path: str | Path) -> "TextClassifier":
    """Load the bundle or the export in ``path``, or the bundle of the run there.

    Raises:
        BundleError: there is none, it is damaged, or a newer tagline wrote it.

    """
    from tagline.classifier import TextClassifier

    return TextClassifier.load(model_folder(path))


def run_of_model(path: str | Path, fingerprint: str | None) -> RunFolder | None:
    """Return the run of a model, named by the folder of its bundle or run; None if the run is not there.

    ``fingerprint``: of the data that the model was trained on, by which the run is verified.
    """
    folder = Path(path).resolve()
    if (folder / INDEX).exists():
        folder = folder.parent
    run = RunFolder(folder)
    try:
        found = run.record["dataset"]["fingerprint"]
    except (InputError, KeyError, TypeError):
        return None
    return run if found == fingerprint else None
