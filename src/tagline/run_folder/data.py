"""Where the rows of a run came from: ``data`` in ``run.json``."""

from dataclasses import asdict, dataclass

from tagline.run_folder.files import Json


@dataclass(frozen=True)
class RunData:
    """Where the rows of a run came from and how they were split: ``data`` in ``run.json``.

    Attributes:
        source: the name of a built-in data set, or the path of a file or folder, or a glob; None if the data cannot be
            read again, because it was handed over in Python or came from standard input.
        text: the text columns.
        label: the label column.
        group: the column of groups that a split keeps together.
        test: the file of test rows, if there was one.
        validation: the file of validation rows, if there was one.
        folds: the number of folds, if the run was measured by cross-validation.

    """

    source: str | None
    text: tuple[str, ...] = ()
    label: str | None = None
    group: str | None = None
    test: str | None = None
    validation: str | None = None
    folds: int | None = None

    def to_json(self) -> Json:
        """Return the content of ``data`` in ``run.json``."""
        return asdict(self) | {"text": list(self.text)}
