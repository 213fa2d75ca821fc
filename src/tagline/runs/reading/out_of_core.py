"""Runs of `--memory`, and those divided among machines: their data is read part by part, and kept on disk.

With `--memory` alone, data that fits into memory is trained on there.
"""

import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tagline.data.sources.parts import streamed_files
from tagline.data.streams import display_name
from tagline.data.streams.urls import is_url, recorded
from tagline.errors import InputError
from tagline.out_of_core import (
    Budget,
    check_recipe,
    is_spooled,
    open_spool,
    parse_memory,
    return_freed_arrays,
    write_spool,
)
from tagline.recipes import Recipe
from tagline.runs.reading.data import RunInputs, check_dataset
from tagline.runs.resume import UnfinishedRun
from tagline.runs.settings import Observer, StepProgress, TrainSettings

_STEPS = 1_000  # of the progress of reading
_MEMORY = "2GB"  # on which a model depends that is trained on many machines, hence not that of any of them


def budget_of(settings: TrainSettings, *, distributed: bool) -> Budget:
    """Return the memory that the process of a run may take, and each on a node if it is ``distributed``.

    Raises:
        InputError: the limit is invalid.

    """
    return Budget(parse_memory(settings.memory or _MEMORY), in_memory=not distributed)


def check_settings(recipe: Recipe, settings: TrainSettings, *, distributed: bool) -> None:
    """Check recipe and settings of a run with `--memory`, or ``distributed``, before anything is read.

    Raises:
        InputError: the limit is invalid, or other settings need all rows in memory.

    """
    budget_of(settings, distributed=distributed)
    others = {"--folds": settings.folds, "--unlabelled": settings.unlabelled, "--from": settings.from_model}
    for option, given in others.items():
        if given:
            one = "--engine" if distributed else "--memory"
            raise InputError(f"`{option}` needs all rows in memory: leave out `{one}`.")
    if distributed:
        check_recipe(recipe, distributed=True)


def files_fingerprint(data: Any, settings: TrainSettings) -> str:
    """Return a hash of names, sizes and times of change of the files that a run reads, by which a change is noticed."""
    sources = [given for given in (data, settings.test, settings.validation) if given is not None]
    files = [file for source in sources for _, file in streamed_files(source).files]
    about = [(recorded(file), *_stat(file)) for file in files]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()


def _stat(file: str) -> tuple[int, ...]:
    if is_url(file) or not Path(file).is_file():
        return ()
    found = Path(file).stat()
    return found.st_size, found.st_mtime_ns


def read_out_of_core(unfinished: UnfinishedRun, observer: Observer) -> RunInputs | None:
    """Read the data of a run, or what a stopped run has read of it; None if it fits into memory.

    Raises:
        InputError: data, recipe or settings cannot be used.

    """
    started = time.perf_counter()
    settings, recipe, folder = unfinished.settings, unfinished.recipe, unfinished.checkpoints
    budget = budget_of(settings, distributed=unfinished.distributed)
    return_freed_arrays()
    if not is_spooled(folder):
        reading = f"reading {display_name(unfinished.data)}"
        observer.log(reading)

        def progress(share: float) -> None:
            observer.progress(StepProgress(reading, int(share * _STEPS), _STEPS))

        fits = write_spool(
            unfinished.data,
            settings,
            settings.seed,
            budget,
            folder,
            progress=progress,
            exceeded=lambda: check_recipe(recipe, distributed=unfinished.distributed),
        )
        if files_fingerprint(unfinished.data, settings) != unfinished.fingerprint:
            raise InputError(f"`{display_name(unfinished.data)}` has changed while it was read: train again.")
        if fits:
            observer.log("the data fits into memory")
            return None
    return _inputs(unfinished.data, recipe, settings, folder, started)


def _inputs(data: Any, recipe: Recipe, settings: TrainSettings, folder: Path, started: float) -> RunInputs:
    dataset = open_spool(folder, settings)
    settings = replace(settings, folds=None)
    positive = check_dataset(dataset, settings)
    dataset = replace(dataset, facts=dataset.facts.of_run())
    return RunInputs(data, recipe, settings, dataset, positive, None, time.perf_counter() - started)
