"""The fourth stage: linear SVMs by block minimisation (Yu, Hsieh, Chang and Lin 2010).

Dual coordinate descent as in memory, see `tagline.models.linear.svm`, over one block of the matrix after the other, in
a random order in each pass. A block is passed `_SWEEPS` times while it is in memory. The alphas of its rows are on
disk; those of a pass are written beside those of the pass before it, so that a stopped fit resumes after the last whole
pass and ends with the same bytes.

The weights at the end of a pass suit its last block best. Where rows have much in common, the verified duality gap is
then larger than its estimate for long after the dual objective has converged, and may be `VERIFIED_GAP`.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tagline.models.linear._solvers import DualDescent, Rows, shuffle
from tagline.models.linear.dual_outputs import DualOutputs, ridges, sweep
from tagline.models.linear.problem import LinearProblem, LinearSolution
from tagline.models.linear.side_by_side import output_groups
from tagline.models.linear.svm import GAP
from tagline.out_of_core.matrix import Block, BlockMatrix
from tagline.parallel import in_threads
from tagline.storage.atomic import write_json
from tagline.task import Floats

VERIFIED_GAP = 10 * GAP
_MOST_PASSES = 60
_SWEEPS = 2
_STATE = "descent.json"


class BlockDescent:
    """Solves a problem whose rows are a matrix on disk.

    ``codes_weight``, (n_codes,), multiplies the weights of the rows of each label code. ``passed`` is called after each
    pass with the largest relative duality gap.
    """

    def __init__(
        self, matrix: BlockMatrix, codes_weight: Floats, folder: Path, passed: Callable[[int, float], None]
    ) -> None:
        self._matrix, self._codes_weight, self._folder, self._passed = matrix, codes_weight, folder, passed
        folder.mkdir(parents=True, exist_ok=True)

    def solve(self, problem: LinearProblem) -> LinearSolution:
        """Solve a problem of which ``Y`` says what the targets of each label code are, (n_codes, n_outputs)."""
        bounds = output_groups(problem.Y.shape[1])
        groups = [DualOutputs(self._matrix.n_columns, last - first) for first, last in bounds]
        n_passes = self._resume(groups)
        for number in range(n_passes, _MOST_PASSES):
            if not any(group.learning.any() for group in groups):
                break
            order = np.arange(self._matrix.n_blocks, dtype=np.int32)
            shuffle(order, problem.seed, number)
            for group in groups:
                group.begin_pass()
            for block in self._matrix.blocks(order.tolist()):
                self._pass_block(block, problem, groups, bounds, number)
            gap = max(_relative_gap(group) for group in groups)
            for group in groups:
                group.end_pass(GAP, VERIFIED_GAP)
            self._checkpoint(groups, number)
            self._passed(number + 1, gap)
        coef = np.empty((self._matrix.n_columns, problem.Y.shape[1]), dtype=np.float32)
        for group, (first, last) in zip(groups, bounds, strict=True):
            coef[:, first:last] = group.coef[:, : last - first]
        intercepts = [group.intercept[: group.n_outputs] for group in groups]
        return LinearSolution(coef, np.concatenate(intercepts).astype(np.float64))

    def _pass_block(
        self,
        block: Block,
        problem: LinearProblem,
        groups: list[DualOutputs],
        bounds: list[tuple[int, int]],
        number: int,
    ) -> None:
        rows = Rows.of(block.X)
        ridge = ridges(problem.C, block.weights * self._codes_weight[block.codes])
        targets = problem.Y[block.codes]

        def descend(at: int) -> None:
            group = groups[at]
            if not group.learning.any():
                return
            alpha, active = self._read_alpha(block, at, group, number)
            if number:
                group.update_active(active)
            first, last = bounds[at]
            descent = DualDescent(
                rows, group.targets(targets[:, first:last]), ridge, *group.weights, active, *group.followed, alpha
            )
            order = np.arange(rows.size, dtype=np.int32)
            seen = None
            for again in range(_SWEEPS):
                shuffle(order, problem.seed * self._matrix.n_blocks + block.number, number * _SWEEPS + again)
                sweep(descent, order[active[order] != 0], group.stepping)
                if seen is None:  # what the first visit of a row in a pass has met counts
                    seen = group.progress[1:].copy()
            group.progress[1:] = seen
            self._alpha_file(block.number, at, number).write_bytes(alpha.tobytes() + active.tobytes())

        in_threads(descend, range(len(groups)))

    def _read_alpha(
        self, block: Block, at: int, group: DualOutputs, number: int
    ) -> tuple[NDArray[np.float32], NDArray[np.uint16]]:
        """Return the alphas of a block, (n_rows, width), and the active outputs of its rows, after the last pass."""
        shape = (len(block.codes), group.coef.shape[1])
        if number == 0:
            return np.zeros(shape, dtype=np.float32), np.full(shape[0], group.bits(group.learning), dtype=np.uint16)
        content = np.fromfile(self._alpha_file(block.number, at, number - 1), dtype=np.uint8)
        size = 4 * shape[0] * shape[1]
        return content[:size].view(np.float32).reshape(shape), content[size:].view(np.uint16)

    def _alpha_file(self, block: int, group: int, number: int) -> Path:
        return self._folder / f"alpha-{number % 2}-{block:05}-{group}"

    def _checkpoint(self, groups: list[DualOutputs], number: int) -> None:
        for at, group in enumerate(groups):
            np.savez(
                self._folder / f"outputs-{number % 2}-{at}.npz",
                coef=group.coef,
                intercept=group.intercept,
                learning=group.learning,
                verifying=group.verifying,
                threshold=group.threshold,
                progress=group.progress,
            )
        write_json(self._folder / _STATE, {"passes": number + 1})

    def _resume(self, groups: list[DualOutputs]) -> int:
        """Restore the outputs of the last whole pass; return the number of passes."""
        try:
            n_passes = int(json.loads((self._folder / _STATE).read_text(encoding="utf-8"))["passes"])
        except FileNotFoundError:
            return 0
        for at, group in enumerate(groups):
            with np.load(self._folder / f"outputs-{(n_passes - 1) % 2}-{at}.npz") as stored:
                group.coef[:], group.intercept[:] = stored["coef"], stored["intercept"]
                group.threshold[:], group.progress[:] = stored["threshold"], stored["progress"]
                group.learning, group.verifying = stored["learning"], stored["verifying"]
        return n_passes


def _relative_gap(group: DualOutputs) -> float:
    dual, gap, _ = group.progress
    of_learning = gap[group.learning] / np.maximum(dual[group.learning] + gap[group.learning], 1e-300)
    return float(of_learning.max(initial=0.0))
