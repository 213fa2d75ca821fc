"""Linear SVMs of rows on shards, by consensus ADMM (Boyd et al. 2011, section 7.1.1).

With coefficients z of all and the scaled multipliers u_k of shard k of K, a round is

    w_k = argmin C sum_i weight_i max(0, 1 - y_i w·(x_i, 1))² + rho / 2 |w - z + u_k|²,
    z' = rho sum_k (w_k + u_k) / (1 + rho K),    u_k' = u_k + w_k - z'.

The first is a linear SVM with the penalty's centre z - u_k, and w_k = z - u_k + v_k, where v_k = sum_i alpha_i y_i
(x_i, 1) with the dual variables alpha of C / rho in place of C. So w_k + u_k is z + v_k, and descent from the alphas of
the round before begins at z' - u_k' + v_k = 2 z' - z, which is the same for all shards. A shard sends v_k, and its
alphas are all that it carries to the next round. Few passes over its rows suffice in each. See `shard.descend`.

With r = rho K, z' = r / (1 + r) (z + the mean of v_k). The rounds end when z hardly changes.

Every shard gets and sends the n-grams only that its rows have. The alphas are kept here, too, so that a shard that is
lost goes on elsewhere, and a stopped fit resumes, with the same bits.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tagline.engines.base import Shards, Step
from tagline.learners.progress import FitProgress, Report
from tagline.models.linear.problem import LinearProblem, LinearSolution
from tagline.out_of_core.shards.shard import Round, Share, descend
from tagline.storage.atomic import write_json
from tagline.task import Floats

_R = 4.0  # on reviews, 2 to 8 converge alike, and 1 takes half as many rounds again
_CHANGE = 0.004  # of z, relative to it: the objective is then about 1 % above its least, or closer
_MOST_ROUNDS, _ROUNDS = 60, 20  # the latter for the progress
_STATE = "consensus.json"

Weights = NDArray[np.float32]


class Consensus:
    """Solves problems whose rows are on shards; ``columns`` are those of each, (n_own,).

    Attributes:
        n_rounds: that have been done.

    """

    def __init__(self, shards: Shards, columns: Sequence[NDArray[np.int32]], folder: Path, report: Report) -> None:
        self._shards, self._columns, self._folder, self._report = shards, columns, folder, report
        self.n_rounds = 0
        folder.mkdir(exist_ok=True)

    def solve(self, problem: LinearProblem, codes_weight: Floats) -> LinearSolution:
        """See `TrainRows.solve`."""
        shape = problem.X.shape[1] + 1, problem.Y.shape[1]  # the last row are the intercepts
        z, start, change = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32), np.inf
        if (self._folder / _STATE).exists():
            state = json.loads((self._folder / _STATE).read_text(encoding="utf-8"))
            self.n_rounds, change = state["rounds"], state["change"]
            z, start = (np.load(self._file(name)) for name in ("z", "start"))
        C = problem.C * len(self._columns) / _R
        while change > _CHANGE and self.n_rounds < _MOST_ROUNDS:
            settings = Round(self.n_rounds, problem.seed, C, problem.Y, codes_weight)
            before, z = z, np.zeros(shape, dtype=np.float32)
            for k, share in enumerate(self._round(settings, start)):
                z[self._columns[k]] += share[:-1]
                z[-1] += share[-1]
            z /= np.float32(len(self._columns))
            z += before
            z *= np.float32(_R / (1 + _R))
            start = z + (z - before)
            change = _length(z - before) / max(_length(z), 1e-30)
            self.n_rounds += 1
            np.save(self._file("z"), z)
            np.save(self._file("start"), start)
            write_json(self._folder / _STATE, {"rounds": self.n_rounds, "change": change})
        return LinearSolution(z[:-1], z[-1].astype(np.float64))

    def _round(self, settings: Round, start: Weights) -> Iterator[Weights]:
        """Yield what each shard finds, and write its alphas."""
        n, number = len(self._columns), settings.number

        def begin(k: int) -> Share:
            alpha = np.load(self._file(f"alpha-{k:05}")) if number else None
            return Share(np.vstack([start[self._columns[k]], start[-1:]]), alpha)

        stage, total = f"training, round {number + 1}", max(_ROUNDS, number + 2) * n
        for k, share in enumerate(self._shards.run(Step(descend, settings, begin))):
            np.save(self._file(f"alpha-{k:05}", following=1), share.alpha)
            yield share.weights
            self._report(FitProgress(stage, number * n + k + 1, total))

    def _file(self, name: str, following: int = 0) -> Path:
        """Return the file of what is known after the rounds done, or those ``following``, beside that of before."""
        return self._folder / f"{name}-{(self.n_rounds + following) % 2}.npy"


def _length(weights: Weights) -> float:
    """Return the Euclidean length, by a sum that no number of threads changes."""
    return float(np.sqrt(np.square(weights).sum(dtype=np.float64)))
