"""Where the rows of a run came from: ``data`` in ``run.json``."""

from dataclasses import asdict, dataclass

from tagline.data import ReadOptions
from tagline.run_folder.files import Json


@dataclass(frozen=True, kw_only=True)
class RunData(ReadOptions):
    """Where the rows of a run came from, and how they were read and split: ``data`` in ``run.json``.

    ``source`` is the name of a built-in data set, or the path of a file or folder, or a glob; None if the data cannot
    be read again, because it was handed over in Python or came from standard input.
    """

    source: str | None

    def to_json(self) -> Json:
        """Return the content of ``data`` in ``run.json``."""
        return asdict(self) | {"text": list(self.text), "label": list(self.label)}
