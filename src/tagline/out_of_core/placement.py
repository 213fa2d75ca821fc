"""Where the train rows are while a model is fitted to them: on this machine, or on the shards of an engine."""

from collections.abc import Iterator
from contextlib import contextmanager

from tagline.engines import LOCAL, Engine
from tagline.learners.progress import Report
from tagline.out_of_core.budget import Budget
from tagline.out_of_core.on_disk import RowsOnDisk
from tagline.out_of_core.progress import Parts
from tagline.out_of_core.shards.division import divide
from tagline.out_of_core.shards.on_shards import RowsOnShards
from tagline.out_of_core.spool.dataset import SpooledDataset
from tagline.out_of_core.train_rows import TrainRows


@contextmanager
def train_rows(
    engine: Engine, dataset: SpooledDataset, longest: int, budget: Budget, seed: int, report: Report
) -> Iterator[TrainRows]:
    """Yield the train rows of a dataset, of whose n-grams the ``longest`` have so many tokens.

    With another engine than `LOCAL` they are divided among its shards, which end with the context.
    """
    if engine is LOCAL:
        yield RowsOnDisk(dataset, longest, budget, seed, report)
        return
    texts = divide(dataset, seed, budget, Parts(report, dataset.n_parts).of("dividing the texts"))
    with engine.shards(texts.n) as shards:
        yield RowsOnShards(dataset, longest, texts, shards, report)
