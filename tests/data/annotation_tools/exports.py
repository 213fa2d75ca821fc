"""Made-up exports of annotation tools."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tagline.data import Dataset, load_dataset

CLASSES = ("billing", "delivery", "technical")
N = 30
TEXTS = [f"a text that is long enough to be one, number {i}" for i in range(N)]
#: One label for each text, and several.
SINGLE = [CLASSES[i % 3] for i in range(N)]
SEVERAL = [[name for k, name in enumerate(CLASSES) if (i + 1) >> k & 1] for i in range(N)]


def write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def labels_of(data: Any, **options: Any) -> tuple[Dataset, dict[str, Any]]:
    """Return a dataset without splits, and the label of each text."""
    dataset = load_dataset(data, folds=2, **options)
    return dataset, dict(zip(dataset.train.texts.to_list(), dataset.train.labels.to_list(), strict=True))
