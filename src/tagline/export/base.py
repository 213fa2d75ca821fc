"""`ExportFormat`: one form in which a model can be written, and what the command line needs to know about it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ExportRequest:
    """An export request: the folder of a run or of its model, and the target.

    ``replay`` is a file of texts for the verification, None for the test rows of the run; ``title`` is the
    heading of a page. ``progress`` is called with the name of each stage.
    """

    model_path: Path
    target: Path
    replay: Path | None = None
    title: str | None = None
    progress: Callable[[str], None] = lambda stage: None


@dataclass(frozen=True)
class Exported:
    """Result of an export: ``bytes`` in all, ``sentences`` and ``facts``, JSON values by name, for programs."""

    path: Path
    bytes: int
    sentences: tuple[str, ...]
    facts: dict[str, Any]


@dataclass(frozen=True)
class ExportFormat:
    """A form in which a model can be written.

    Attributes:
        name: the value of `tagline export --format`.
        summary: what it writes, for the help of the command.
        extra: the optional part of tagline that it needs.
        export: verifies an export against its model and then writes it. It raises `VerificationError` if they differ,
            other `InputError`s if the model has no such form or the target cannot be written, and `MissingExtraError`
            without the extra; then nothing is written.

    """

    name: str
    summary: str
    extra: str
    export: Callable[[ExportRequest], Exported]
