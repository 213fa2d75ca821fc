"""Outputs that compiled solvers learn side by side. Import it only if ``tagline.compiled.COMPILED``.

The weights of a column for several outputs share a cache line. Each of several outputs is computed by itself, so that
results do not depend on the groups.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tagline.models.linear._solvers import WIDTHS
from tagline.parallel import cores

_LINE = 64  # bytes of a cache line
_FEWEST = 4  # outputs of a group, unless there are fewer: a single output is added up in another order


def output_groups(n_outputs: int) -> list[tuple[int, int]]:
    """Return the first and the last output, excluded, of groups that are learned side by side: as many on each core."""
    n_cores, widest = cores(), WIDTHS[-1]
    n_groups = -(-n_outputs // widest)
    n_groups = min(-(-n_groups // n_cores) * n_cores, max(1, n_outputs // _FEWEST))
    bounds = np.linspace(0, n_outputs, n_groups + 1).astype(np.int64).tolist()
    return list(pairwise(bounds))


def width_of(n_outputs: int) -> int:
    """Return for how many outputs there is room in the arrays of a group."""
    return next(width for width in WIDTHS if width >= n_outputs)


def zero_weights(n_rows: int, width: int) -> NDArray[np.float32]:
    """Return zeros, (n_rows, width), that begin with a cache line, so that a row of them is in one."""
    memory = np.zeros(4 * n_rows * width + _LINE, dtype=np.uint8)
    start = -memory.ctypes.data % _LINE
    return memory[start : start + 4 * n_rows * width].view(np.float32).reshape(n_rows, width)
