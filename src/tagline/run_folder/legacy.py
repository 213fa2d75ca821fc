"""What ``run.json`` of older versions does not record, derived from the command and the other files."""

from contextlib import suppress
from typing import TYPE_CHECKING

from tagline.data.options import OLD_LABELS
from tagline.errors import InputError
from tagline.run_folder.data import RunData
from tagline.run_folder.files import Json

if TYPE_CHECKING:
    from tagline.run_folder.folder import RunFolder


def data_of_old_run(record: Json) -> RunData:
    """Return the data of a run whose ``run.json`` has no ``data``: its options are in the recorded command alone."""
    from tagline.data import BUILT_IN

    about, command = record["dataset"], record["command"]
    options: dict[str, str] = {}
    for word, following in zip(command, [*command[1:], ""], strict=False):
        name, _, value = word.partition("=")
        if name in ("--group", "--test", "--validation", "--folds"):
            options[name.removeprefix("--")] = value or following
    built_in = BUILT_IN.get(about["name"])
    is_built_in = built_in is not None and built_in.origin == about["source"]
    return RunData(
        source=None if "-" in options.values() else about["name"] if is_built_in else str(about["source"]),
        text=tuple(about["facts"]["text_columns"]),
        label=(about["facts"]["label_column"],),
        group=options.get("group"),
        test=options.get("test"),
        validation=options.get("validation"),
        folds=int(options["folds"]) if "folds" in options else None,
        **OLD_LABELS,
    )


def old_run_keeps_texts(run: "RunFolder") -> bool:
    """Return whether a run shows texts whose ``run.json`` has no ``texts``."""
    if "--no-texts" in run.record.get("command", []):
        return False
    with suppress(InputError):
        return bool(run.mistakes) or run.metrics["test"]["accuracy"] == 1
    return False
