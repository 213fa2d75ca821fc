"""``tagline predict``."""

import json
import os
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.cli import options
from tagline.errors import InputError, as_unicode

if TYPE_CHECKING:
    import polars as pl


_GAP = 3  # between two columns of the table
_SHORTEST_TEXT = 24
_MOST_PART_ROWS = 1_000_000_000


class Format(StrEnum):
    """The formats of the output."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    XLSX = "xlsx"


def predict(
    context: typer.Context,
    model: options.Model,
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts to classify.")] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="Classify the rows of a file, or of standard input for `-`.",
            rich_help_panel=options.DATA,
        ),
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option(
            metavar="JSON",
            help="Classify sequences of word ids: a list of integers, or a list of such lists.",
            rich_help_panel=options.DATA,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write a .csv, .tsv, .jsonl, .parquet or .xlsx file, or a folder of parts if the name ends with `/`: "
            "there, the same command resumes what was stopped. `-` is standard output.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    in_place: Annotated[
        bool,
        typer.Option(
            "--in-place",
            help="Add the predictions to the file of --input itself, which is replaced once all rows are predicted.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
    part_rows: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=_MOST_PART_ROWS,
            help="The rows of each part in the folder of --output; by default a million.",
            show_default=False,
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    kind: Annotated[
        Format | None,
        typer.Option(
            "--format", help="The output format; by default that of the suffix.", rich_help_panel=options.OUTPUT
        ),
    ] = None,
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas",
            help="Put an apostrophe in front of cells that a spreadsheet would take for formulas, in CSV and TSV.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
    text: options.Text = None,
    encoding: options.Encoding = None,
    separator: options.Separator = None,
    quote: options.Quote = None,
    top_k: Annotated[
        int | None,
        typer.Option(metavar="K", min=1, help="Add the K most probable classes.", rich_help_panel=options.OUTPUT),
    ] = None,
    proba: Annotated[
        bool,
        typer.Option("--proba", help="Add the probability of every class.", rich_help_panel=options.OUTPUT),
    ] = False,
    threshold: options.Threshold = None,
    positive: options.Positive = None,
    cost: options.Cost = None,
    novelty: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Predict nothing for texts unlike the training texts; of texts like them at most this share is lost, "
            "for example 0.04.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    unsure_below: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            min=0,
            max=1,
            help="Say `unsure` where the probability of the prediction is below P.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    abstain: Annotated[
        float | None,
        typer.Option(
            metavar="ACCURACY",
            help="Say `unsure` where the answers would not reach this accuracy on unseen texts, for example 0.95. "
            "Held-out rows guarantee it.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    sets: Annotated[
        float | None,
        typer.Option(
            metavar="COVERAGE",
            help="Add the prediction set of each text: classes that contain the true one with this probability, for "
            "example 0.9.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    by_class: Annotated[
        bool,
        typer.Option(
            "--by-class",
            help="Guarantee --abstain for the predictions of each class, --sets for the texts of each class.",
            rich_help_panel=options.MODEL,
        ),
    ] = False,
    strict: options.Strict = False,
    engine: options.Engine = options.EngineName.LOCAL,
    address: options.Address = None,
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Classify texts, or the rows of a file, keeping their order and other columns.

    Examples: [bold]tagline predict MODEL "A quiet masterpiece."[/] and
    [bold]tagline predict MODEL --input new.csv --output labelled.csv[/]
    """
    if [bool(texts), bool(source), ids is not None].count(True) != 1:
        raise InputError(
            "`tagline predict` takes either texts, `--input FILE` or `--ids JSON`; `--input -` is standard input."
        )
    if as_json and (source or output):
        raise InputError("`--json` prints predictions of texts; for a file use `--output FILE.jsonl`.")
    as_table = not (source or output or kind or as_json)
    if escape_formulas and (as_table or as_json):
        raise InputError("`--escape-formulas` is for CSV and TSV: give `--output FILE.csv` too, or `--format csv`.")
    if in_place and (not source or output):
        raise InputError("`--in-place` adds the predictions to the file of `--input`: leave out `--output`.")
    if output is not None and "://" in output:
        raise InputError("`--output` is a file or a folder of this machine, not a URL.")
    in_parts = bool(source) and output is not None and (output.endswith(("/", os.sep)) or Path(output).is_dir())
    if part_rows is not None and not in_parts:
        raise InputError("`--part-rows` is for a folder of parts: give `--input` and `--output FOLDER/`.")
    options.check_engine(engine, address)
    if engine is options.EngineName.RAY and not source:
        raise InputError("`--engine ray` classifies the rows of a file: give `--input FILE`.")
    sequences = None if ids is None else _sequences(ids)
    session = options.session_of(context)
    session.stage("loading the model")
    from tagline.bundle import checksum
    from tagline.cli.engine import engine_of
    from tagline.cli.predicted_file import of_empty, of_unlike, predict_and_report
    from tagline.data import FileLayout
    from tagline.decisions.cost_table import read_costs
    from tagline.run_folder import load_model, model_folder
    from tagline.runs.predicting.parts import PART_ROWS
    from tagline.runs.predicting.predict import FileOptions
    from tagline.runs.predicting.prediction_row import CommandOptions

    prediction = CommandOptions(
        threshold=threshold,
        positive=positive,
        top_k=top_k or 0,
        probabilities=proba,
        novelty=novelty,
        unsure_below=unsure_below,
        abstain=abstain,
        sets=sets,
        by_class=by_class,
        costs=None if cost is None else read_costs(cost),
    )
    clf = load_model(model)
    if abstain is not None:
        from tagline.cli.answers import answers_in_words

        prediction.check(clf)
        assert clf.held_out_ is not None  # else the option is refused
        least = clf.least_confidence(unsure_below=unsure_below, accuracy=abstain, by_class=by_class)
        session.stage(answers_in_words(clf.held_out_, least, [str(name) for name in clf.classes_]))
    if source:
        file_options = FileOptions(
            kind.value if kind else None,
            tuple(text or ()),
            strict,
            FileLayout(encoding, separator, quote),
            escape_formulas,
            in_place,
        )
        to = source if in_place else output or "-"
        parts = (checksum(model_folder(model)), part_rows or PART_ROWS) if in_parts else None
        with engine_of(session, engine, address) as chosen:
            predict_and_report(session, clf, source, to, prediction, file_options, parts, chosen)
        return
    from tagline.decisions.novelty import UNLIKE
    from tagline.runs.predicting.predict import n_blank, predict_ids, predict_texts

    if as_table and not prediction.top_k:
        prediction = prediction.model_copy(update={"top_k": 1})  # the nearest, of a text without a label
    if sequences is None:
        frame = predict_texts(clf, [as_unicode(given) for given in texts or []], prediction)
        if n := n_blank(frame["text"]):
            session.warn(of_empty(n))
        if "reason" in frame and (frame["reason"] == UNLIKE).any():
            session.warn(of_unlike(frame["reason"].to_list().count(UNLIKE)))
    else:
        frame = predict_ids(clf, sequences, prediction)
    session.close()
    if output or kind:
        from tagline.runs.predicting.tables import CsvStyle, open_table

        target = sys.stdout.buffer if output in (None, "-") else Path(output)
        style = CsvStyle(escape_formulas=escape_formulas)
        with open_table(target, kind.value if kind else None, style) as write:
            write(frame)
    elif as_json:
        from tagline.cli.terminal import show_json

        # Whether a text has a `reason` must not depend on the other texts; in HTTP it does not.
        found = frame.to_dicts()
        show_json([{name: row[name] for name in row if (name, row[name]) != ("reason", None)} for row in found])
    else:
        _show(_with_nearest(frame) if clf.task_ == "multilabel" else frame, with_top=bool(top_k))


def _sequences(document: str) -> list[list[int]]:
    """Return the sequences of ids in a JSON document; the model checks their values."""
    example = "give a list of word ids such as `[1, 14, 22]`, or a list of such lists"
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):
        raise InputError(f"`--ids` is not JSON: {example}.") from None
    if not isinstance(found, list):
        raise InputError(f"`--ids` is `{json.dumps(found):.80}`, not a list: {example}.")
    if not found:
        raise InputError(f"`--ids` is an empty list: {example}; `[[]]` is a text without words.")
    return found if any(isinstance(row, list) for row in found) else [found]


def _with_nearest(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Put the most probable label in place of a list of no labels."""
    import polars as pl

    said = [
        f"no label; nearest: {name} ({probability:.3f})" if labels == [] else _cell(labels)
        for labels, name, probability in frame.select("prediction", "top_1", "top_1_probability").iter_rows()
    ]
    return frame.with_columns(pl.Series("prediction", said, dtype=pl.String))


def _show(frame: "pl.DataFrame", *, with_top: bool) -> None:
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    from tagline.cli.terminal import one_line, show

    answers = frame.drop("text", *(() if with_top else ("top_1", "top_1_probability")))
    cells = [[one_line(column.name), *map(_cell, column.to_list())] for column in answers]
    used = sum(max(map(cell_len, column)) + _GAP for column in cells)
    # Predictions are never cut, even if the table is printed in blocks; texts are.
    width = shutil.get_terminal_size().columns
    room = width - used if width - used >= _SHORTEST_TEXT else width - max(map(cell_len, cells[0])) - _GAP
    room = max(_SHORTEST_TEXT, room)
    texts = ["text", *(_cropped(one_line(text), room) for text in frame["text"])]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for (name, *_), dtype in zip(cells, answers.dtypes, strict=True):
        table.add_column(Text(name), justify="right" if dtype.is_float() else "left", no_wrap=True)
    table.add_column("text", no_wrap=True)
    for row in list(zip(*cells, texts, strict=True))[1:]:
        table.add_row(*map(Text, row))
    show(table)


def _cropped(text: str, width: int) -> str:
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def _cell(value: object) -> str:
    from tagline.cli.terminal import one_line

    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list):
        return ", ".join(one_line(str(name)) for name in value) or "–"
    return "–" if value is None else one_line(str(value))
