"""``tagline datasets``."""

from typing import TYPE_CHECKING, Annotated

import typer

from tagline.cli import options

if TYPE_CHECKING:
    from tagline.data import Dataset

app = typer.Typer(rich_markup_mode="rich")
_SAMPLE_CHARACTERS = 160


@app.callback(invoke_without_command=True)
def datasets(
    context: typer.Context,
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """List the built-in datasets; `show` describes one of them, or your own file.

    Examples: [bold]tagline datasets[/] and [bold]tagline datasets show reviews.csv[/]
    """
    if context.invoked_subcommand is not None:
        return
    from tagline.cli.terminal import show, show_json
    from tagline.data import BUILT_IN

    if as_json:
        show_json(
            [
                {
                    "name": row.name,
                    "summary": row.summary,
                    "rows": row.rows,
                    "classes": row.classes,
                    "splits": row.splits,
                    "origin": row.origin,
                    "licence": row.licence,
                    "here": row.is_here(),
                }
                for row in BUILT_IN.values()
            ]
        )
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("name", no_wrap=True, style="bold")
    for name in ("rows", "classes"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("here", no_wrap=True)
    for name in ("content", "source", "licence"):
        table.add_column(name)
    for row in BUILT_IN.values():
        here = "yes" if row.is_here() else "no"
        table.add_row(row.name, f"{row.rows:,}", str(row.classes), here, row.summary, row.origin, row.licence)
    show(table)


@app.command("show")
@options.with_reading
def show_dataset(
    context: typer.Context,
    data: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A built-in name, a file, a folder or a glob.")],
    text: options.Text = None,
    label: options.Label = None,
    reading: options.Reading = options.DETECTED,
    keep_label_spelling: options.KeepLabelSpelling = False,
    multilabel: options.Multilabel = False,
    samples: Annotated[
        int, typer.Option(metavar="N", min=0, help="Number of texts to print.", rich_help_panel=options.OUTPUT)
    ] = 5,
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Print sizes, text lengths and classes of a dataset, and some of its texts with their labels.

    Example: [bold]tagline datasets show bbc-news[/]
    """
    from tagline.data import load_dataset
    from tagline.data.streams import display_name

    session = options.session_of(context)
    session.stage(f"reading {display_name(data)}")
    dataset = load_dataset(
        data,
        text=text,
        label=label,
        **reading,
        keep_label_spelling=keep_label_spelling,
        multilabel=multilabel,
    )
    session.close()
    for warning in dataset.facts.warnings:
        session.warn(warning)
    if as_json:
        from tagline.cli.terminal import show_json

        show_json(
            {
                "name": dataset.name,
                "task": dataset.task,
                "classes": dataset.classes,
                "fingerprint": dataset.fingerprint,
                **dataset.facts.to_json(),
            }
        )
    else:
        _show(dataset, samples)


def _show(dataset: "Dataset", samples: int) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from tagline.cli.terminal import one_line, show

    facts = dataset.facts
    sizes = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    sizes.add_column("split", no_wrap=True)
    for name in ("rows", "mean", "median", "95th percentile", "longest"):
        sizes.add_column(name, justify="right", no_wrap=True)
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    for name, part in parts.items():
        if part is not None:
            lengths = facts.lengths[name]
            sizes.add_row(
                name, *(f"{n:,.0f}" for n in (len(part), *(lengths[k] for k in ("mean", "median", "p95", "max"))))
            )
    classes = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    classes.add_column("class", overflow="fold")
    for name in facts.class_counts:
        classes.add_column(name, justify="right", no_wrap=True)
    for name in dataset.classes:
        classes.add_row(Text(one_line(name)), *(f"{counts[name]:,}" for counts in facts.class_counts.values()))
    n = sum(len(part) for part in parts.values() if part is not None)
    show(
        f"{dataset.name}: {n:,} texts, {len(dataset.classes):,} classes, {dataset.task}; {facts.chosen}.",
        f"Splits: {facts.split}. Lengths are in characters.",
        "",
        sizes,
        "",
        classes,
    )
    shown = min(samples, len(dataset.train))
    if not shown:
        return
    texts = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    texts.add_column("label", overflow="fold")
    texts.add_column("text")
    step = len(dataset.train) // shown
    for row in range(0, shown * step, step):
        label, text = dataset.train.labels[row], one_line(dataset.train.texts[row])
        names = ", ".join(label) if not isinstance(label, str) else label
        cut = text if len(text) <= _SAMPLE_CHARACTERS else text[:_SAMPLE_CHARACTERS].rstrip() + "…"
        texts.add_row(Text(one_line(names)), Text(cut))
    show("", texts)
