"""``tagline compare``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagline.cli import options

if TYPE_CHECKING:
    from rich.table import Table

_LONGEST_NAME = 150  # characters; file systems take 255 bytes


def compare(
    context: typer.Context,
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN RUN…",
            help="The folders of two or more runs; in place of some, CSV files of other predictions with the columns "
            "`row` (from 0, as in predictions.parquet), `prediction`, and optionally `proba:CLASS`.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html",
            help="The page to write; by default compare-RUN-RUN.html in the parent of the first run.",
            show_default=False,
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Test whether one run is significantly better than another, and show where they differ.

    The runs are compared on the test rows that all of them have, in any order and with any text columns.

    Example: [bold]tagline compare runs/RUN runs/OTHER[/]
    """
    session = options.session_of(context)
    session.stage("comparing")
    from tagline.report.comparison import write_comparison
    from tagline.report.rendering import check_page
    from tagline.runs.compare import compare_runs

    if out is not None:
        check_page(out)
    document = compare_runs(runs, log=session.stage)
    path = write_comparison(_default_page(runs[0], document) if out is None else out, document)
    session.close()
    if as_json:
        from tagline.cli.terminal import show_json

        show_json(document)
        session.stage(f"report: {path}")
    else:
        from tagline.cli.terminal import show

        show(_figures(document), "")
        if len(document["runs"]) > 2:
            show(_pairs(document), "")
        show(*document["conclusion"], "", f"Report: {path}")


def _default_page(first: Path, document: Mapping[str, Any]) -> Path:
    """Return the default path of the page: in the parent of the first run, named after the runs."""
    from hashlib import blake2b

    name = "-".join(Path(run["path"]).resolve().name for run in document["runs"])
    if len(name) > _LONGEST_NAME:
        name = f"{name[: _LONGEST_NAME - 9]}-{blake2b(name.encode(), digest_size=4).hexdigest()}"
    folder = first.resolve().parent
    here = Path.cwd()
    return (folder.relative_to(here) if folder.is_relative_to(here) else folder) / f"compare-{name}.html"


def _figures(document: Mapping[str, Any]) -> "Table":
    from rich.text import Text

    from tagline.cli.terminal import one_line
    from tagline.metrics.formatting import format_figure, format_interval, format_number

    multilabel = document["task"] == "multilabel"
    f1 = "micro_f1" if multilabel else "macro_f1"
    names = ("exact match" if multilabel else "accuracy", "95 % interval", f1.replace("_f1", " F1"))
    table = _table(("", "run"), (*names, "ms/text", "MB"))
    for run in document["runs"]:
        table.add_row(
            run["letter"],
            Text(one_line(run["name"])),
            format_figure("accuracy", run["accuracy"]),
            format_interval("accuracy", run["accuracy_ci95"]) or "–",
            format_figure(f1, run[f1]),
            *(format_number(run[key]) for key in ("ms_per_text", "megabytes")),
        )
    return table


def _pairs(document: Mapping[str, Any]) -> "Table":
    from tagline.metrics.formatting import format_p_value

    runs = document["runs"]
    table = _table(("pair",), ("points", "95 % interval", "only one right", "p", "same answer"))
    for pair in document["pairs"]:
        of, cells = pair["accuracy"], pair["mcnemar"]
        ends = of["difference_ci95"]
        table.add_row(
            f"{runs[pair['first']]['letter']} → {runs[pair['second']]['letter']}",
            f"{100 * of['difference']:+.1f}",
            " to ".join(f"{100 * end:+.1f}" for end in ends) if ends else "–",
            f"{cells['only_first_right']:,} : {cells['only_second_right']:,}",
            format_p_value(cells["p_corrected"]).removeprefix("= "),
            f"{100 * pair['agreement']:.1f} %",
        )
    table.caption = f"Second less first. p: McNemar's test, corrected for {len(document['pairs'])} pairs."
    table.caption_justify = "left"
    return table


def _table(left: Sequence[str], right: Sequence[str]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in left:
        table.add_column(name, overflow="fold", min_width=5 if name else 1)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table
