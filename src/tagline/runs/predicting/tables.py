"""Write frames one after the other as CSV, JSON Lines or Parquet, to a stream or a file that appears once complete."""

import errno
import io
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import polars as pl
import polars.selectors as cs

from tagline.data.formats.delimited.escaped_formulas import escape_formulas
from tagline.data.frames import as_strings
from tagline.errors import DataError, InputError, MissingExtraError
from tagline.run_folder import check_foreign
from tagline.storage.atomic import open_file, temporary_folder

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

TAB_SUFFIXES = (".tsv", ".tab")
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "xlsx",
}
KINDS = ("csv", "jsonl", "parquet", "xlsx")

# polars holds a row group in memory; its own default, 262,144 rows, may be gigabytes of text.
_ROW_GROUP = 16_384
_EXCEL_ROWS, _EXCEL_CHARS = 1_048_576, 32_767

#: A column of JSON objects as text, one per row; in JSON Lines the other columns are added to them.
JSON_OBJECT = "\0object"

Write = Callable[[pl.DataFrame], None]


@dataclass(frozen=True)
class CsvStyle:
    """The separator of a CSV file, whether it begins with a byte order mark, its encoding, and escaped formulas."""

    separator: str = ","
    byte_order_mark: bool = False
    encoding: str = "utf-8"
    escape_formulas: bool = False


def table_kind(target: str | Path) -> str:
    """Return the format of a file by its suffix.

    Raises:
        InputError: the suffix is not that of a format that can be written.

    """
    suffix = Path(target).suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(f"`{name}`" for name in (".csv", ".tsv", ".jsonl", ".parquet", ".xlsx"))
        raise InputError(f"`{target}` has no suffix of a known format: use {known}, or give `--format`.")
    return SUFFIXES[suffix]


@contextmanager
def polars_os_errors() -> Iterator[None]:
    """Raise the `OSError`, such as a full disk or a closed pipe, that polars hides in an error of its own."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        number = re.search(r"\(os error (\d+)\)", str(error))
        if number is None:
            raise
        code = int(number[1])
        raise OSError(code, os.strerror(code)) from error


def style_of(path: Path, style: CsvStyle) -> CsvStyle:
    """Return the style of a file of this name: tabs separate the cells of TSV, and of UTF-16, and of no other CSV."""
    if path.suffix.lower() in TAB_SUFFIXES:
        return replace(style, separator="\t")
    if style.separator == "\t" and not style.encoding.startswith("utf-16"):  # which Excel reads only with tabs
        return replace(style, separator=",")
    return style


@contextmanager
def open_table(
    target: str | Path | BinaryIO,
    kind: str | None = None,
    style: CsvStyle = CsvStyle(),
    *,
    keep_mode: bool = False,
) -> Iterator[Write]:
    """Yield a function that writes a frame; a file replaces an older one at the end, and an exception leaves that.

    A symbolic link is followed; a device or a named pipe is written directly. With ``keep_mode`` the permissions of the
    older file are kept.
    """
    if not isinstance(target, str | Path):
        utf_8 = replace(style, encoding="utf-8")  # what reads a stream expects it
        with _open_kind(target, kind or "csv", utf_8) as write:
            yield write
        return
    path = Path(target)
    kind = kind or table_kind(path)
    if path.is_dir():
        raise InputError(f"`{path}` is a folder: name the file to write.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"`{path}` cannot be written: the folder `{path.parent}` does not exist.")
    if path.exists() and (not path.is_file() or path.parent == Path("/dev")):
        with path.open("wb") as stream, _open_kind(stream, kind, style) as write:
            yield write
        return
    check_foreign(path)
    style = style_of(path, style)
    path = path.resolve()
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open_file(path, keep_mode=keep_mode))
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT):
                raise
            raise InputError(f"`{path}` cannot be written: {os.strerror(error.errno).lower()}.") from None
        yield stack.enter_context(_open_kind(file, kind, style, path.parent))


@contextmanager
def _open_kind(stream: BinaryIO, kind: str, style: CsvStyle, beside: Path | None = None) -> Iterator[Write]:
    if style.escape_formulas and kind != "csv":
        raise InputError("`--escape-formulas` is for CSV and TSV: in other formats no cell is a formula.")
    if kind == "csv":
        yield _CsvWriter(stream, style)
    elif kind == "xlsx":
        with _excel_writer(stream, beside) as write:
            yield write
    elif kind == "jsonl":
        yield lambda frame: _write_json_lines(stream, frame)
    else:
        with _parquet_writer(stream, beside) as write:
            yield write


def _write_json_lines(stream: BinaryIO, frame: pl.DataFrame) -> None:
    stream.write(_json_lines(frame).encode())


def _json_lines(frame: pl.DataFrame) -> str:
    if JSON_OBJECT not in frame.columns:
        return frame.with_columns(map(_without_binary_types, frame)).write_ndjson()
    added = frame.drop(JSON_OBJECT).write_ndjson().split("\n")
    opened = (line.strip().removesuffix("}").rstrip() for line in frame[JSON_OBJECT])
    # The text of an object is copied: parsed and formatted again, its numbers might change.
    return "".join(
        f"{start}{'' if start == '{' else ','}{more[1:]}\n" for start, more in zip(opened, added[:-1], strict=True)
    )


class _CsvWriter:
    """Writes frames under the header of the first; lists and structs are written as JSON."""

    def __init__(self, stream: BinaryIO, style: CsvStyle) -> None:
        self._stream = stream
        self._style = style
        self._columns: list[str] | None = None

    def __call__(self, frame: pl.DataFrame) -> None:
        if self._columns is None:
            self._columns = frame.columns
            # A row, not a header: the names of a frame must differ, and escaped ones may not.
            header = pl.DataFrame([self._columns], [str(n) for n in range(frame.width)], orient="row")
            self._write(header, byte_order_mark=self._style.byte_order_mark)
        self._write(_flat(frame, self._columns, "CSV"))

    def _write(self, frame: pl.DataFrame, *, byte_order_mark: bool = False) -> None:
        cells = escape_formulas(frame) if self._style.escape_formulas else frame
        buffer = io.BytesIO()  # polars would decode it to return a string
        cells.write_csv(buffer, include_header=False, include_bom=byte_order_mark, separator=self._style.separator)
        content = buffer.getbuffer()
        encoding = self._style.encoding
        self._stream.write(content if encoding == "utf-8" else str(content, "utf-8").encode(encoding))


def _flat(frame: pl.DataFrame, columns: Sequence[str], format_name: str) -> pl.DataFrame:
    """Return a frame with the columns of the first one, its lists and structs as JSON."""
    known, given = set(columns), set(frame.columns)
    more = [name for name in frame.columns if name not in known]
    if more:
        raise DataError(
            f"Later rows have a column `{more[0]}` that the first ones lack, which {format_name} cannot hold: "
            "write `.jsonl` or `.parquet`."
        )
    lacking = [pl.lit(None).alias(name) for name in columns if name not in given]
    whole = frame.with_columns(lacking).select(columns)
    return whole.with_columns(
        _as_json(column) if column.dtype.is_nested() else _without_binary_types(column) for column in whole
    )


def _without_binary_types(column: pl.Series) -> pl.Series:
    """Write bytes as text, in Base64 if they are none, and durations in ISO 8601: polars writes neither as text."""
    if column.dtype == pl.Binary:
        texts = as_strings(column)
        return column.bin.encode("base64") if texts is None else texts
    if column.dtype == pl.Duration:
        return column.dt.to_string("iso")
    return _as_json(column) if column.dtype.is_nested() and re.search(r"Binary|Duration", str(column.dtype)) else column


def _as_json(column: pl.Series) -> pl.Series:
    def text(value: object) -> str:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    values = [None if v is None else json.dumps(v, ensure_ascii=False, default=text) for v in column.to_list()]
    return pl.Series(column.name, values, dtype=pl.String)


class _ZipStream:
    """A stream for a `ZipFile` that may be left open: when that is deleted, it writes once more."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def give_up(self) -> None:
        """Write to nothing from now on."""
        self._stream = io.BytesIO()


@contextmanager
def _excel_writer(stream: BinaryIO, beside: Path | None) -> Iterator[Write]:
    if find_spec("xlsxwriter") is None:
        raise MissingExtraError("Writing `.xlsx`", "xlsx")
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    output = _ZipStream(stream)
    # Texts are written as they are: not as formulas, links or numbers.
    plain = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    # Rows are kept on disk, in the folder of the target, and nothing of them if an error comes before they are packed.
    with temporary_folder(beside) as rows:
        book = xlsxwriter.Workbook(output, {"constant_memory": True, "tmpdir": str(rows), **plain})
        sheet = book.add_worksheet()
        try:
            yield _sheet_writer(sheet)
            with _unwrapped(FileCreateError):
                book.close()
        except BaseException:
            output.give_up()
            with suppress(OSError):
                sheet.row_data_fh.close()
            raise


@contextmanager
def _unwrapped(kind: type[Exception]) -> Iterator[None]:
    """Raise the error that an error of this kind stands for."""
    try:
        yield
    except kind as error:
        raise error.args[0] from None


def _sheet_writer(sheet: "Worksheet") -> Write:
    columns: list[str] = []
    n = 1

    def write(frame: pl.DataFrame) -> None:
        nonlocal n
        if not columns:
            columns.extend(frame.columns)
            sheet.write_row(0, 0, columns)
        if n + frame.height > _EXCEL_ROWS:
            raise DataError(f"A sheet of Excel has {_EXCEL_ROWS:,} rows: write `.csv`, `.jsonl` or `.parquet`.")
        for row in _flat(frame, columns, "Excel").with_columns(cs.temporal().cast(pl.String)).iter_rows():
            if any(isinstance(value, str) and len(value) > _EXCEL_CHARS for value in row):
                raise DataError(
                    f"Row {n:,} has a text of more than {_EXCEL_CHARS:,} characters, which a cell of Excel cannot "
                    "hold: write `.csv`, `.jsonl` or `.parquet`."
                )
            sheet.write_row(n, 0, row)
            n += 1

    return write


@contextmanager
def _parquet_writer(stream: BinaryIO, beside: Path | None) -> Iterator[Write]:
    # polars writes Parquet in one call: frames are kept on disk, in the folder of the target, and streamed.
    written: list[Path] = []
    with temporary_folder(beside) as parts:

        def write(frame: pl.DataFrame) -> None:
            path = parts / f"{len(written):08}.parquet"
            with polars_os_errors():
                frame.write_parquet(path, compression="lz4")
            written.append(path)

        yield write
        with polars_os_errors():
            _stacked(written).sink_parquet(stream, maintain_order=True, row_group_size=_ROW_GROUP)


def _stacked(paths: Sequence[Path]) -> pl.LazyFrame:
    scans = [pl.scan_parquet(path, glob=False) for path in paths]
    schemas = [scan.collect_schema() for scan in scans]
    if len({tuple(schema.items()) for schema in schemas}) == 1:
        return pl.scan_parquet(list(paths), glob=False)
    # The columns of JSON Lines may differ between blocks; where their types differ, all become text.
    kinds: dict[str, set[pl.DataType]] = {}
    for schema in schemas:
        for name, dtype in schema.items():
            kinds.setdefault(name, set()).add(dtype)
    mixed = {name for name, found in kinds.items() if len(found - {pl.Null()}) > 1}
    return (
        pl.concat(
            [
                scan.with_columns(pl.col(*mixed & set(s)).cast(pl.String)) if mixed & set(s) else scan
                for scan, s in zip(scans, schemas, strict=True)
            ],
            how="diagonal_relaxed",
        )
        if scans
        else pl.LazyFrame()
    )
