"""Folders and globs.

A folder is read by the first of these layouts that matches:

* files named by split, ``train.csv`` beside ``test.csv`` (any readable format): official splits;
* ``train/`` and ``test/`` folders, each with a folder per class: official splits (the layout of ``aclImdb``);
* a folder per class, each with one text per ``.txt`` file;
* files of rows with the same columns: all of them are read.
"""

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from tagline.data.files import TEXT_SUFFIX, is_readable, read_file
from tagline.data.formats import SUFFIXES
from tagline.data.formats.base import not_utf8
from tagline.data.formats.fasttext import LABEL
from tagline.data.frames import concat
from tagline.data.rows import EXCERPT_CHARS, Rejected, Rows
from tagline.data.splits import SET_ASIDE, SPLIT_NAMES
from tagline.data.wording import listed
from tagline.errors import DataError

SPLIT_COLUMN = "split"
#: Split, class and files.
Part = tuple[str | None, str, list[Path]]


def is_glob(path: str) -> bool:
    """Say whether ``path`` is a pattern and not the name of a file."""
    return any(sign in path for sign in "*?[") and not Path(path).exists()


def read_glob(pattern: str, *, expected: Sequence[str] = ()) -> Rows:
    """Read all files that match ``pattern``, sorted by name; the folders of plain ``.txt`` files are classes."""
    paths = sorted(Path(found) for found in glob.glob(pattern, recursive=True))  # noqa: PTH207  # Path.glob takes no absolute one
    files = [path for path in paths if path.is_file()]
    if not files:
        raise DataError(f"No file matches `{pattern}`.")
    if all(path.suffix.lower() == TEXT_SUFFIX for path in files) and not _starts_as_fasttext(files[0]):
        classes: dict[str, list[Path]] = {}
        for path in files:
            classes.setdefault(path.parent.name, []).append(path)
        return _class_rows([(None, name, paths) for name, paths in sorted(classes.items())], pattern, pattern)
    return _stack([(None, path) for path in files], pattern, pattern, expected)


def read_folder(path: str | Path, *, expected: Sequence[str] = ()) -> Rows:
    """Read a folder in one of the layouts above; raise `DataError` for any other."""
    folder = Path(path)
    name = folder.resolve().name
    children = sorted(child for child in folder.iterdir() if not child.name.startswith("."))
    files = [child for child in children if child.is_file() and _is_readable(child)]
    by_split = [(_split_of(file), file) for file in files]
    if any(split == "train" for split, _ in by_split):
        return _stack([(s, file) for s, file in by_split if s is not None], name, str(path), expected)
    folders = [child for child in children if child.is_dir()]
    split_folders = [child for child in folders if child.name.casefold() in SPLIT_NAMES]
    if any(SPLIT_NAMES[child.name.casefold()] == "train" for child in split_folders):
        parts: list[Part] = [(child.name, *part) for child in split_folders for part in _class_files(child)]
        if parts:
            return _class_rows(parts, name, str(path))
    parts = [(None, *part) for part in _class_files(folder)]
    if parts:
        return _class_rows(parts, name, str(path))
    if files:
        return _stack([(None, file) for file in files], name, str(path), expected)
    raise DataError(
        f"`{path}` is not a folder of texts: it should hold one folder of `.txt` files per class, with or without "
        f"`train/` and `test/` above them, or files such as `train.csv` and `test.csv` (suffixes: {listed(SUFFIXES)})."
    )


def _is_readable(file: Path) -> bool:
    return is_readable(file) or (file.suffix == TEXT_SUFFIX and _starts_as_fasttext(file))


def _starts_as_fasttext(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(64).lstrip().startswith(LABEL.encode())


def _split_of(file: Path) -> str | None:
    stem = file.name.split(".", 1)[0].casefold()
    return SPLIT_NAMES.get(stem)


def _class_files(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    for child in sorted(folder.iterdir()):
        if child.is_dir() and not child.name.startswith("."):
            texts = sorted(child.glob("*.txt"), key=lambda file: file.name)
            if texts:
                yield child.name, texts


def _class_rows(parts: Sequence[Part], name: str, source: str) -> Rows:
    """Read one text per file; ``parts`` are split, class, files. Unlabelled folders are set aside."""
    texts: list[str] = []
    labels: list[str] = []
    split_names: list[str | None] = []
    rejected: list[Rejected] = []
    for split, label, files in parts:
        aside = SPLIT_NAMES.get(label.casefold()) == SET_ASIDE
        for file in files:
            data = file.read_bytes()
            try:
                texts.append(data.decode("utf-8-sig"))
            except UnicodeDecodeError as error:
                excerpt = data[:EXCERPT_CHARS].decode("utf-8", "replace")
                rejected.append(Rejected(str(file), 1, not_utf8(data, error), excerpt))
                continue
            labels.append(label)
            split_names.append(SET_ASIDE if aside else split)
    frame = pl.DataFrame(
        {"text": texts, "label": labels, SPLIT_COLUMN: split_names},
        schema={"text": pl.String, "label": pl.String, SPLIT_COLUMN: pl.String},
    )
    return Rows(frame, name, source, tuple(rejected), text="text", label="label", split=_split_column(parts))


def _split_column(parts: Sequence[Part]) -> str | None:
    return SPLIT_COLUMN if any(split is not None for split, _, _ in parts) else None


def _stack(parts: Sequence[tuple[str | None, Path]], name: str, source: str, expected: Sequence[str]) -> Rows:
    """Read files of rows and stack them; their splits, if they have any, become a column."""
    tables = [read_file(file, expected=expected) for _, file in parts]
    first = tables[0]
    for table in tables[1:]:
        missing = [column for column in first.frame.columns if column not in table.frame.columns]
        # A part without labels may be among the files, but a file without any common column is another table.
        if len(missing) == first.frame.width:
            raise DataError(f"`{table.source}` has none of the columns of `{first.source}`: they cannot be stacked.")
    column = None
    frames = [table.frame for table in tables]
    if any(split is not None for split, _ in parts):
        column = SPLIT_COLUMN
        frames = [
            frame.with_columns(pl.lit(split).alias(column)) for frame, (split, _) in zip(frames, parts, strict=True)
        ]
    rejected = tuple(row for table in tables for row in table.rejected)
    notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
    return Rows(concat(frames), name, source, rejected, first.text, first.label, column, notes)
