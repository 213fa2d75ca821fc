"""Bundles: folders of plain files that hold a model, and nothing that is executed.

::

    tagline.json          format version, SHA-256 of each part and of this one, and the header: settings as JSON
    weights.safetensors   every array
    *.txt                 vocabularies, one entry a line
    *.onnx                graphs; since format 2

The format number increases if earlier versions could not read a bundle or would misread it; every version reads all
earlier formats. Format 3: recipes have ``C`` and ``alpha``, features their tokenizer's settings. Format 4:
``threshold`` may be a list, one for each label, and recipes have ``protocol.thresholds``. A key that earlier versions
may ignore needs no new number, nor does a tokenizer's setting: unknown ones are rejected.

An export for other programs has the same format under other names: see `Layout`. This module reads and writes JSON,
arrays, texts and bytes; `tagline.classifier.header` checks what they mean. The same content gives the same bytes.
"""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load as parse_arrays
from safetensors.numpy import save as format_arrays

from tagline.errors import BundleError, InputError
from tagline.storage.atomic import recover, remove_abandoned, replace_folder

FORMAT = 4
INDEX = "tagline.json"
ARRAYS = "weights.safetensors"
OF_RUN = "model"  # the folder in a run that holds its model
_TEXTS = {".txt", ".json", ".md"}
_LARGEST_INDEX = 1 << 28
_COPY = "Copy the model again, with the files that links lead to."


@dataclass(frozen=True)
class Layout:
    """Name of a bundle in messages, and the file names of its index and of its arrays."""

    what: str
    index: str
    arrays: str


MODEL = Layout("a model", INDEX, ARRAYS)
EXPORT = Layout("an export", "tokens.json", "ngrams.safetensors")


class Part(BaseModel):
    """What an index says of a part."""

    model_config = ConfigDict(strict=True, frozen=True)

    bytes: Annotated[int, Field(ge=0)]
    sha256: str


class Index(BaseModel):
    """The index of a bundle, apart from the header."""

    model_config = ConfigDict(strict=True, frozen=True)

    format: Annotated[int, Field(ge=1)]
    parts: dict[str, Part]
    sha256: str | None = None


@dataclass(frozen=True)
class Bundle:
    """The content of a bundle: a JSON header, arrays by name, and texts and binaries by file name.

    The suffix of a text is ``.txt``, ``.json`` or ``.md``.
    """

    header: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    texts: dict[str, str]
    binaries: dict[str, bytes] = field(default_factory=dict)


def write_bundle(folder: str | Path, bundle: Bundle, layout: Layout = MODEL) -> None:
    """Write a bundle to ``folder``, whole or not at all; an older bundle there is replaced.

    Raises:
        InputError: ``folder`` holds something that is not a bundle.
        OSError: it could not be written; nothing is left behind.

    """
    target = Path(folder)
    recover(target)
    check_replaceable(target, layout)
    parts = {name: text.encode() for name, text in bundle.texts.items()} | bundle.binaries
    if bundle.arrays:
        contiguous = {name: np.ascontiguousarray(bundle.arrays[name]) for name in sorted(bundle.arrays)}
        parts[layout.arrays] = format_arrays(contiguous)
    index = {
        "format": FORMAT,
        "parts": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(parts.items())
        },
        **bundle.header,
    }
    index["sha256"] = _digest(index)
    parts[layout.index] = (json.dumps(index, ensure_ascii=False, indent=1) + "\n").encode()
    with replace_folder(target, partial(check_replaceable, layout=layout)) as building:
        for name, content in parts.items():
            (building / name).write_bytes(content)


def check_replaceable(target: Path, layout: Layout) -> None:
    """Raise `InputError` if there is something at ``target`` that is not a bundle of this layout and nothing else."""
    if not target.exists():
        return
    remove_abandoned(target)
    what, index = layout.what, target / layout.index
    if not index.is_file() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"`{target}` exists and is not {what}: choose another folder.")
    foreign = {path.name for path in target.iterdir()} - {index.name, *_part_names(index)}
    if foreign:
        raise InputError(f"`{target}` holds `{min(foreign)}`, which is not part of {what}: choose another folder.")


def bundle_folder(path: str | Path) -> Path:
    """Return the folder of a bundle: ``path``, or the folder ``model`` of the run there."""
    folder = Path(path)
    recover(folder)
    return folder / OF_RUN if not (folder / INDEX).exists() and (folder / OF_RUN).is_dir() else folder


def checksum(folder: str | Path) -> str:
    """Return the SHA-256 that the index of a bundle states; empty if it states none that can be read."""
    for layout in (MODEL, EXPORT):
        with suppress(BundleError, OSError, ValueError, KeyError, TypeError, RecursionError):
            found = json.loads(_read_regular(Path(folder) / layout.index, _LARGEST_INDEX).decode())["sha256"]
            return found if isinstance(found, str) else ""
    return ""


def read_bundle(folder: str | Path) -> Bundle:
    """Read and check a bundle, of a model or of an export.

    Raises:
        BundleError: there is none, it is damaged, or a newer tagline wrote it.

    """
    source = Path(folder)
    recover(source)
    layout = EXPORT if (source / EXPORT.index).exists() and not (source / MODEL.index).exists() else MODEL
    path = source / layout.index
    try:
        index = json.loads(_read_regular(path, _LARGEST_INDEX).decode())
    except BundleError:
        raise
    except OSError:
        what = "does not exist" if not source.exists() else f"is not a model: it has no `{INDEX}` that can be read"
        raise BundleError(f"`{source}` {what}; a model is the `model` folder of a run.") from None
    except (ValueError, RecursionError):
        raise BundleError(f"`{path}` is damaged: it is not JSON. Copy the model again.") from None
    try:
        listed = Index.model_validate(index)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "it"
        raise BundleError(
            f"`{path}` is not the index of {layout.what}: `{place}` is invalid: {first['msg']}."
        ) from None
    if listed.format > FORMAT:
        raise BundleError(
            f"`{source}` has format {listed.format}, and this tagline reads up to {FORMAT}: upgrade with "
            "`pip install -U tagline`."
        )
    if index.pop("sha256", None) != _digest(index):
        raise BundleError(f"`{path}` is damaged: its checksum does not match. Copy the model again.")
    contents = {}
    for name, part in listed.parts.items():
        if Path(name).name != name or name in ("", ".."):
            raise BundleError(f"`{path}` names a part outside the model: `{name}`.")
        contents[name] = _read_part(source / name, part)
    try:
        arrays = parse_arrays(contents.pop(layout.arrays)) if layout.arrays in contents else {}
    except SafetensorError:
        raise BundleError(f"`{source / layout.arrays}` is damaged. Copy the model again.") from None
    texts = {name: content.decode(errors="replace") for name, content in contents.items() if _is_text(name)}
    binaries = {name: content for name, content in contents.items() if not _is_text(name)}
    header = {key: value for key, value in index.items() if key not in ("format", "parts")}
    return Bundle(header, arrays, texts, binaries)


def _is_text(name: str) -> bool:
    return Path(name).suffix in _TEXTS


def _part_names(index: Path) -> list[str]:
    """Return the names of the parts that a bundle's index lists; none if it cannot be read."""
    try:
        return list(json.loads(index.read_text(encoding="utf-8"))["parts"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _read_part(path: Path, part: Part) -> bytes:
    try:
        content = _read_regular(path, part.bytes)
    except BundleError:
        raise
    except (OSError, ValueError):
        raise BundleError(f"`{path}` is missing or cannot be read. Copy the model again.") from None
    if len(content) != part.bytes or hashlib.sha256(content).hexdigest() != part.sha256:
        raise BundleError(f"`{path}` is damaged: its checksum does not match. Copy the model again.")
    return content


def _read_regular(path: Path, largest: int) -> bytes:
    """Return the content of a file of a bundle.

    Raises:
        BundleError: it is not a regular file, such as a link to one elsewhere or a pipe, or too large.
        OSError: it cannot be read.

    """
    # Without O_NONBLOCK a pipe would wait for a writer. Windows has neither flag.
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, os.O_RDONLY | flags)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link, a socket
            raise BundleError(f"`{path}` is not a regular file. {_COPY}") from None
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise BundleError(f"`{path}` is not a regular file. {_COPY}")
        if found.st_size > largest:
            size = f"{found.st_size:,} bytes, not {largest:,}"
            raise BundleError(f"`{path}` is damaged: it has {size}. Copy the model again.")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(found.st_size)  # `largest` may be any number, and Python would reserve it
    finally:
        os.close(descriptor)


def _digest(index: Mapping[str, Any]) -> str:
    """Return the SHA-256 of an index, however its JSON is laid out."""
    return hashlib.sha256(json.dumps(index, sort_keys=True).encode()).hexdigest()
