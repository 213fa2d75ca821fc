"""The prediction of a file: its progress, and what was noticed in its rows."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from tagline.classifier import TextClassifier
from tagline.cli.terminal import Session
from tagline.data.wording import counted, have
from tagline.engines import Engine
from tagline.runs.predicting.parts import predict_parts
from tagline.runs.predicting.predict import FileOptions, predict_file
from tagline.runs.predicting.prediction_row import PredictionOptions

_STEPS = 10_000  # of the progress bar


def predict_and_report(
    session: Session,
    clf: TextClassifier,
    source: str,
    output: str,
    prediction: PredictionOptions,
    file_options: FileOptions,
    parts: tuple[str, int] | None,
    engine: Engine,
) -> None:
    """Predict a file into another one, or into a folder of parts: of a model with this checksum, of so many rows."""

    def on_columns(columns: Sequence[str]) -> None:
        named = ", ".join(f"`{name}`" for name in columns)
        session.stage(f"text is {named}")
        session.stage("predicting")

    def on_rows(rows: int, share: float | None) -> None:
        name = f"predicting: {rows:,} rows"
        if share is None:
            session.update(name)
        else:
            session.advance(name, int(share * _STEPS), _STEPS, milestone=False)

    if parts is None:
        target: Path | BinaryIO = sys.stdout.buffer if output == "-" and not file_options.in_place else Path(output)
        done = predict_file(
            clf, source, target, prediction, file_options, engine=engine, on_columns=on_columns, on_rows=on_rows
        )
    else:
        model, part_rows = parts
        session.kept = "the same command resumes"
        done = predict_parts(
            clf,
            source,
            Path(output),
            prediction,
            file_options,
            model=model,
            part_rows=part_rows,
            engine=engine,
            on_columns=on_columns,
            on_rows=on_rows,
        )
    session.close()
    if done.rejected:
        first = done.rejected[0]
        where = f"; all are listed in `{done.rejected_file}`" if done.rejected_file else ""
        session.warn(
            f"{counted(len(done.rejected), 'row')} cannot be read and {have(len(done.rejected))} no prediction; "
            f"the first is `{first.file}` line {first.line}: {first.reason}{where}."
        )
    if done.empty:
        session.warn(of_empty(done.empty))
    if done.unlike:
        session.warn(of_unlike(done.unlike))
    if prediction.abstains:
        session.stage(f"unsure of {done.unsure:,} of {counted(done.rows, 'row')}")
    for note in done.notes:
        session.warn(note)
    if output != "-":
        session.stage(f"{done.rows:,} rows written to {output}")


def of_empty(n: int) -> str:
    """Say how many texts are empty."""
    return f"{'1 text is empty and has' if n == 1 else f'{n:,} texts are empty and have'} no prediction."


def of_unlike(n: int) -> str:
    """Say how many texts are unlike the training texts."""
    what = (
        "1 text is unlike the training texts and has"
        if n == 1
        else f"{n:,} texts are unlike the training texts and have"
    )
    return f"{what} no prediction."
