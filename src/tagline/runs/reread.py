"""The data of a run, read again where it was read from."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tagline.data import BUILT_IN, Dataset, load_dataset
from tagline.data.streams import STDIN
from tagline.errors import TaglineError
from tagline.runs.folder import MARK


def read_again(run: Path) -> Dataset | None:
    """Return the data that a run was trained on, split as it was then.

    None if it cannot be read again, from here and without a download, or is not the same any more.
    """
    try:
        about = json.loads((run / MARK).read_bytes())
        data = _data(about["dataset"])
        facts, options = about["dataset"]["facts"], _options(about["command"])
        if data is None or STDIN in options.values():
            return None
        dataset = load_dataset(
            data,
            text=facts["text_columns"] or None,
            label=facts["label_column"],
            seed=about["seed"],
            **options,
        )
        return dataset if dataset.fingerprint == about["dataset"]["fingerprint"] else None
    except (TaglineError, OSError, ValueError, KeyError, TypeError):
        return None


def _data(about: dict[str, Any]) -> str | None:
    """Return the name of a built-in set that is here, or the path of a file or folder, or the glob."""
    built_in = BUILT_IN.get(about["name"])
    if built_in is not None and built_in.origin == about["source"]:
        return about["name"] if built_in.is_here() else None
    return str(about["source"])


def _options(command: Sequence[str]) -> dict[str, Any]:
    """Return the options of ``tagline train`` that decide about the rows."""
    found: dict[str, Any] = {}
    for word, following in zip(command, [*command[1:], ""], strict=False):
        name, _, value = word.partition("=")
        if name in ("--group", "--test", "--validation", "--folds"):
            found[name.removeprefix("--")] = value or following
    return found | ({"folds": int(found["folds"])} if "folds" in found else {})
