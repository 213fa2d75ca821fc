"""Train, validation and test rows, and folds: stratified, with groups and copies kept together.

Rows that must stay together form a *unit*: the rows of one group, and the copies of one text. A unit
has the class of its first row. All work is on whole arrays; a million rows take about a second.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from tagline.task import Ints

TRAIN, VALIDATION, TEST, SET_ASIDE = "train", "validation", "test", "unlabelled"

#: The splits in the order of the numbers that `split_rows` gives them.
SPLITS = (TRAIN, VALIDATION, TEST)
_TRAIN, _VALIDATION, _TEST = range(3)
#: What the values of a split column, and the names of files and folders, mean.
SPLIT_NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "dev": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "val": VALIDATION,
    "devel": VALIDATION,
    "development": VALIDATION,
    "eval": VALIDATION,
    "evaluation": VALIDATION,
    "publictest": VALIDATION,
    "test": TEST,
    "testing": TEST,
    "holdout": TEST,
    "heldout": TEST,
    "privatetest": TEST,
    "unsup": SET_ASIDE,
    "unsupervised": SET_ASIDE,
    "unlabeled": SET_ASIDE,
    "unlabelled": SET_ASIDE,
}

SHARE = 0.1
#: Fewer rows are divided into folds, by default: a tenth of them is too little to measure a model on.
FEW_ROWS, FOLDS_OF_FEW = 300, 5
#: Classes with fewer units than this are not in all three splits: their rows go to train first.
MIN_PER_SPLIT = 5
MIN_FOR_TEST = 3
#: Only texts with the same first characters are compared in full.
PREFIX_CHARS = 64


def copy_keys(texts: pl.Series) -> pl.Series:
    """Return a number for every text, the same for its copies, (n,) UInt32.

    Two texts are copies when they are equal after trimming white space at both ends and lower-casing.
    """
    prefix = texts.str.strip_chars().str.slice(0, PREFIX_CHARS).str.to_lowercase()
    suspects = prefix.is_duplicated()
    rows = pl.DataFrame({"row": pl.arange(len(texts), eager=True, dtype=pl.UInt32), "suspect": suspects})
    found = texts.filter(suspects).str.strip_chars().str.to_lowercase()
    places = rows.filter("suspect").select("row").with_columns(text=found)
    firsts = places.select("row", key=pl.col("row").min().over("text"))
    return (
        rows.join(firsts, on="row", how="left", maintain_order="left")
        .select(pl.coalesce("key", "row").alias("key"))
        .to_series()
    )


def units(copies: pl.Series, groups: pl.Series | None) -> Ints:
    """Return the unit of every row, (n,) from 0: copies of a text, and rows of a group if given, share one."""
    copy_ids = _dense(copies)
    if groups is None:
        return copy_ids
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    group_ids = _dense(groups)
    n_copies, n_groups = int(copy_ids.max()) + 1, int(group_ids.max()) + 1
    edges = (np.ones(len(copy_ids), dtype=np.int8), (copy_ids, group_ids + n_copies))
    graph = coo_array(edges, shape=(n_copies + n_groups, n_copies + n_groups))
    _, component = connected_components(graph, directed=False)
    return np.unique(component[copy_ids], return_inverse=True)[1].astype(np.int64)


def _dense(values: pl.Series) -> Ints:
    return (values.rank("dense").cast(pl.Int64) - 1).to_numpy()


def strata(labels: pl.Series) -> Ints:
    """Return the class number of each row, (n,); for multi-label data that of its rarest label."""
    if not isinstance(labels.dtype, pl.List):
        return _dense(labels)
    rows = pl.DataFrame({"row": pl.arange(len(labels), eager=True), "label": labels})
    flat = rows.filter(pl.col("label").list.len() > 0).explode("label")
    counts = flat.with_columns(count=pl.len().over("label")).sort("count", "label")
    rarest = rows.select("row").join(counts.group_by("row", maintain_order=True).first(), on="row", how="left")
    return _dense(rarest.sort("row")["label"].fill_null(""))


def split_rows(
    unit: Ints, stratum: Ints, *, seed: int, validation: bool = True, test: bool = True, grouped: bool = False
) -> npt.NDArray[np.int8]:
    """Assign every row to train 0, validation 1 or test 2, (n,); the last two get a tenth of every class.

    ``unit`` and ``stratum`` number units and classes from 0, (n,). A class of at least five units is in every
    split, of three or four in train and test, of fewer in train alone; a unit larger than the tenth stays in
    train unless all units are that large. With ``grouped`` units, which may be large and have several classes, classes
    are balanced as far as whole units allow.
    """
    size, classes = _units(unit, stratum)
    shuffled = np.random.default_rng(seed).permutation(len(size))
    order = shuffled[np.argsort(classes[shuffled], kind="stable")]
    if grouped:
        start = _rows_before(size[order], classes[order])
        place = (start + size[order] / 2) / np.bincount(classes, weights=size)[classes[order]]
        return _cut_units(unit, order, place, size, validation=validation, test=test, seed=seed)
    part = np.empty(len(size), dtype=np.int8)
    part[order] = _fill_classes(size[order], classes[order], validation=validation, test=test)
    return part[unit]


def _fill_classes(size: Ints, classes: Ints, *, validation: bool, test: bool) -> npt.NDArray[np.int8]:
    """Assign units, sorted by class and in random order within a class, to the splits."""
    n_units = np.bincount(classes)  # (n_classes,), as is the tenth
    tenth = np.maximum(1, np.rint(SHARE * np.bincount(classes, weights=size))).astype(np.int64)
    # Units that fit come first, in their order, then the others by size.
    suited = np.lexsort((np.maximum(size, tenth[classes]), classes))
    rank = np.empty_like(suited)
    rank[suited] = np.arange(len(suited)) - (np.cumsum(n_units) - n_units)[classes]
    part = np.full(len(size), _TRAIN, dtype=np.int8)
    # Validation starts after all that test can take, so that without copies both are runs of the order.
    n_fit = np.bincount(classes[size <= tenth[classes]], minlength=len(tenth))
    behind = np.clip(tenth, 1, np.maximum(1, n_fit - 1))
    wanted = [(_TEST, 0 * behind, MIN_FOR_TEST)] * test + [(_VALIDATION, behind, MIN_PER_SPLIT)] * validation
    # Each split gets one unit before any is filled, so that none takes what another needs.
    for name, place, least in wanted:
        part[(rank == place[classes]) & (n_units[classes] >= least)] = name
    for name, _, _ in wanted:
        _fill_up(part, name, size, classes, tenth)
    return part


def _fill_up(part: npt.NDArray[np.int8], name: int, size: Ints, classes: Ints, tenth: Ints) -> None:
    """Move units from train to a split, in order, skipping those that no longer fit."""
    mine = part == name
    filled = np.bincount(classes[mine], weights=size[mine], minlength=len(tenth)).astype(np.int64)
    room = np.where(filled > 0, tenth - filled, 0)
    left = np.flatnonzero(part == _TRAIN)
    while len(left := left[size[left] <= room[classes[left]]]):
        # All units before the first that does not fit; later ones that fit are found in the next round.
        fits = _rows_before(size[left], classes[left]) + size[left] <= room[classes[left]]
        taken, left = left[fits], left[~fits]
        part[taken] = name
        room -= np.bincount(classes[taken], weights=size[taken], minlength=len(tenth)).astype(np.int64)


def _cut_units(
    unit: Ints,
    order: Ints,
    place: npt.NDArray[np.float64],
    size: Ints,
    *,
    validation: bool,
    test: bool,
    seed: int,
) -> npt.NDArray[np.int8]:
    """Cut the sequence of units, ordered by their place within their class, at each tenth of all rows."""
    noise = np.random.default_rng((seed, 1)).random(len(order))
    line = order[np.lexsort((noise, place))]
    end = np.cumsum(size[line]) / size.sum()
    part = np.full(len(order), _TRAIN, dtype=np.int8)
    begin = 0
    for name, wanted in ((_TEST, test), (_VALIDATION, validation)):
        # At least one unit each, as long as one is left for train.
        if wanted and begin < len(line) - 1:
            before = end[begin - 1] if begin else 0.0
            n = int(np.searchsorted(end - before, SHARE + 1e-9, side="right")) - begin
            stop = min(begin + max(1, n), len(line) - 1)
            part[line[begin:stop]] = name
            begin = stop
    return part[unit]


def fold_rows(unit: Ints, stratum: Ints, n_folds: int, *, seed: int) -> Ints:
    """Assign every row to one of ``n_folds`` folds, (n,) from 0; stratified by class, units kept together."""
    size, classes = _units(unit, stratum)
    shuffled = np.random.default_rng(seed).permutation(len(size))
    # Large units first, so that they are spread over the folds.
    order = shuffled[np.lexsort((-size[shuffled], classes[shuffled]))]
    fold = np.empty(len(size), dtype=np.int64)
    fold[order] = np.arange(len(size)) % n_folds
    return fold[unit]


def folds_for_few(unit: Ints, labels: pl.Series) -> int | None:
    """Return the number of folds by which a model of few rows is evaluated by default, None for many rows.

    A class with a single unit, (n,), is held out whole, so that its rows are predicted wrong. None too if these are
    more than a tenth of the rows, or if fewer than two classes would always be left to learn from.
    """
    if len(unit) >= FEW_ROWS:
        return None
    frame = pl.DataFrame({"label": labels, "unit": unit})
    flat = frame.explode("label") if isinstance(labels.dtype, pl.List) else frame
    classes = flat.drop_nulls("label").group_by("label").agg(pl.len(), pl.col("unit").n_unique())
    single = classes.filter(pl.col("unit") == 1)
    if classes.height - single.height < 2 or single["len"].sum() > SHARE * len(unit):
        return None
    return min(FOLDS_OF_FEW, int(unit.max()) + 1)


def _units(unit: Ints, stratum: Ints) -> tuple[Ints, Ints]:
    """Return number of rows and class of every unit, (n_units,) each."""
    _, first, size = np.unique(unit, return_index=True, return_counts=True)
    return size.astype(np.int64), stratum[first]


def _rows_before(size: Ints, classes: Ints) -> Ints:
    """Return the rows of its class before each unit; the units are sorted by class."""
    before = np.cumsum(size) - size
    begins = np.r_[True, np.diff(classes) != 0]
    return before - np.maximum.accumulate(np.where(begins, before, 0))
