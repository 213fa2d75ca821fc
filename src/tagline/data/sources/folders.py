"""Folders and globs.

A folder is read by the first of these layouts that matches:

* files named by split, ``train.csv`` beside ``test.csv`` (any readable format): official splits;
* ``train/`` and ``test/`` folders, each with a folder per class: official splits (the layout of ``aclImdb``);
* a folder per class, each with one text per ``.txt`` file;
* files of rows with the same columns: all of them are read.
"""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from tagline.data.formats import SUFFIXES
from tagline.data.formats.fasttext import LABEL
from tagline.data.frames import concat
from tagline.data.reading import DETECT, FileLayout
from tagline.data.rows import Rows
from tagline.data.sources.files import TEXT_SUFFIX, is_readable, read_file
from tagline.data.splits import SET_ASIDE, SPLIT_NAMES
from tagline.data.streams import display_name
from tagline.data.streams.encodings import (
    UTF_8,
    checked_encoding,
    decode,
    detect_encoding,
    encoding_note,
    is_utf8,
    marked_encoding,
    unmarked_utf16,
)
from tagline.data.wording import listed
from tagline.errors import DataError

SPLIT_COLUMN = "split"
#: Split, class and files.
Part = tuple[str | None, str, list[Path]]


def is_glob(path: str) -> bool:
    """Say whether ``path`` is a pattern and not the name of a file."""
    return any(sign in path for sign in "*?[") and not Path(path).exists()


def read_glob(pattern: str, *, expected: Sequence[str] = (), layout: FileLayout = DETECT) -> Rows:
    """Read all files that match ``pattern``, sorted by name; the folders of plain ``.txt`` files are classes."""
    paths = sorted(Path(found) for found in glob.glob(pattern, recursive=True))  # noqa: PTH207  # Path.glob takes no absolute one
    files = [path for path in _distinct(paths) if path.is_file()]
    if not files:
        raise DataError(f"No file matches `{pattern}`.")
    if all(path.suffix.lower() == TEXT_SUFFIX for path in files) and not _starts_as_fasttext(files[0]):
        classes: dict[str, list[Path]] = {}
        for path in files:
            classes.setdefault(path.parent.name, []).append(path)
        return _class_rows([(None, name, paths) for name, paths in sorted(classes.items())], pattern, pattern, layout)
    return stack([(None, path) for path in files], pattern, pattern, expected, layout)


def _distinct(paths: Iterable[Path]) -> list[Path]:
    """Return paths of distinct files: through a link to a folder above, a pattern finds a file again and again."""
    found: dict[str, Path] = {}
    for path in paths:
        found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def read_folder(path: str | Path, *, expected: Sequence[str] = (), layout: FileLayout = DETECT) -> Rows:
    """Read a folder in one of the layouts above; raise `DataError` for any other."""
    folder = Path(path)
    name = Path(os.path.realpath(folder)).name
    children = sorted(child for child in folder.iterdir() if not child.name.startswith("."))
    files = [child for child in children if child.is_file() and _is_readable(child)]
    by_split = [(split_of(file.name), file) for file in files]
    if any(split == "train" for split, _ in by_split):
        return stack([(s, file) for s, file in by_split if s is not None], name, str(path), expected, layout)
    folders = [child for child in children if child.is_dir()]
    split_folders = [child for child in folders if child.name.casefold() in SPLIT_NAMES]
    if any(SPLIT_NAMES[child.name.casefold()] == "train" for child in split_folders):
        parts: list[Part] = [(child.name, *part) for child in split_folders for part in _class_files(child)]
        if parts:
            return _class_rows(parts, name, str(path), layout)
    parts = [(None, *part) for part in _class_files(folder)]
    if parts:
        return _class_rows(parts, name, str(path), layout)
    if files:
        return stack([(None, file) for file in files], name, str(path), expected, layout)
    raise DataError(
        f"`{path}` is not a folder of texts: it should hold one folder of `.txt` files per class, with or without "
        f"`train/` and `test/` above them, or files such as `train.csv` and `test.csv` (suffixes: {listed(SUFFIXES)})."
    )


def _is_readable(file: Path) -> bool:
    return is_readable(file) or (file.suffix == TEXT_SUFFIX and _starts_as_fasttext(file))


def _starts_as_fasttext(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(64).lstrip().startswith(LABEL.encode())


def split_of(name: str) -> str | None:
    """Return the split that the name of a file names, None if none."""
    stem = name.split(".", 1)[0].casefold()
    return SPLIT_NAMES.get(stem)


def _class_files(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    for child in sorted(folder.iterdir()):
        if child.is_dir() and not child.name.startswith("."):
            # A pipe is no text, and waits for ever for one.
            texts = sorted((file for file in child.glob("*.txt") if file.is_file()), key=lambda file: file.name)
            if texts:
                yield child.name, texts


def _class_rows(parts: Sequence[Part], name: str, source: str, layout: FileLayout) -> Rows:
    """Read one text per file; ``parts`` are split, class, files. Unlabelled folders are set aside."""
    contents: list[bytes] = []
    labels: list[str] = []
    split_names: list[str | None] = []
    for split, label, files in parts:
        aside = SPLIT_NAMES.get(label.casefold()) == SET_ASIDE
        contents += [file.read_bytes() for file in files]
        labels += [display_name(label)] * len(files)
        split_names += [SET_ASIDE if aside else split] * len(files)
    texts, notes = _decoded(contents, source, layout)
    frame = pl.DataFrame(
        {"text": texts, "label": labels, SPLIT_COLUMN: split_names},
        schema={"text": pl.String, "label": pl.String, SPLIT_COLUMN: pl.String},
    )
    names = pl.Series("file", [display_name(file) for _, _, files in parts for file in files], dtype=pl.Categorical)
    place = names.to_frame().with_columns(line=pl.lit(1, pl.UInt32))
    return Rows(frame, name, source, text="text", label="label", split=_split_column(parts), notes=notes, place=place)


def _decoded(contents: Sequence[bytes], source: str, layout: FileLayout) -> tuple[list[str], tuple[str, ...]]:
    """Return the texts of files, and a note on their encoding if it was detected.

    A byte order mark decides for its file. Files that are not Unicode are taken to share one encoding, which is
    detected from all of them.
    """
    named = checked_encoding(layout.encoding) if layout.encoding else None
    encodings = [marked_encoding(content) or named or unmarked_utf16(content) for content in contents]
    others = [
        content for content, found in zip(contents, encodings, strict=True) if found is None and not is_utf8(content)
    ]
    notes: tuple[str, ...] = ()
    shared = UTF_8
    if others:
        detected = detect_encoding(b"\n".join(others))
        shared = detected.encoding if detected else UTF_8
        notes = (encoding_note(f"{len(others):,} of {len(contents):,} files of `{source}`", shared),)
    texts = [
        decode(content, shared) if found is None else content.decode(found, "replace")
        for content, found in zip(contents, encodings, strict=True)
    ]
    return [text.removeprefix("\ufeff") for text in texts], notes


def _split_column(parts: Sequence[Part]) -> str | None:
    return SPLIT_COLUMN if any(split is not None for split, _, _ in parts) else None


def stack(
    parts: Sequence[tuple[str | None, str | Path]], name: str, source: str, expected: Sequence[str], layout: FileLayout
) -> Rows:
    """Read files of rows and stack them; their splits, if they have any, become a column."""
    tables = [read_file(file, expected=expected, layout=layout) for _, file in parts]
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
    place = pl.concat([table.place for table in tables if table.place is not None])
    encoding = next((table.encoding for table in tables if table.encoding), None)
    return Rows(
        concat(frames), name, source, rejected, first.text, first.label, column, notes, place=place, encoding=encoding
    )
