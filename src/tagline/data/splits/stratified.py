"""Train, validation and test rows: stratified by class, with units kept together.

All work is on whole arrays; a million rows take about a second.
"""

import numpy as np
import numpy.typing as npt

from tagline.data.splits.row_units import sizes_and_classes
from tagline.task import Ints

_TRAIN, _VALIDATION, _TEST = range(3)
SHARE = 0.1
#: Classes with fewer units than this are not in all three splits: their rows go to train first.
MIN_PER_SPLIT = 5
MIN_FOR_TEST = 3


def split_rows(
    unit: Ints, stratum: Ints, *, seed: int, validation: bool = True, test: bool = True, grouped: bool = False
) -> npt.NDArray[np.int8]:
    """Assign every row to train 0, validation 1 or test 2, (n,); the last two get a tenth of every class.

    ``unit`` and ``stratum`` number units and classes from 0, (n,). A class of at least five units is in every
    split, of three or four in train and test, of fewer in train alone; a unit larger than the tenth stays in
    train unless all units are that large. With ``grouped`` units, which may be large and have several classes, classes
    are balanced as far as whole units allow.
    """
    size, classes = sizes_and_classes(unit, stratum)
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


def _rows_before(size: Ints, classes: Ints) -> Ints:
    """Return the rows of its class before each unit; the units are sorted by class."""
    before = np.cumsum(size) - size
    begins = np.r_[True, np.diff(classes) != 0]
    return before - np.maximum.accumulate(np.where(begins, before, 0))
