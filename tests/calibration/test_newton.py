"""The minimum of two numbers within bounds, against SciPy and known minima; awkward logits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_expit, log_softmax

from tagline.calibration import PlattScaling, SigmoidScaling
from tagline.calibration.margins import LogLoss
from tagline.calibration.newton import minimise
from tagline.task import Task

FREE = (-np.inf, np.inf)


def paraboloid(curvature: np.ndarray, center: np.ndarray):
    def loss(at: np.ndarray) -> LogLoss:
        d = at - center
        return LogLoss(float(d @ curvature @ d) / 2, curvature @ d, curvature[[0, 0, 1], [0, 1, 1]])

    return loss


@pytest.mark.parametrize(
    ("bounds", "minimum"),
    [
        ((FREE, FREE), (3.0, -2.0)),
        (((-1.0, 1.0), FREE), (1.0, -1.0)),
        ((FREE, (0.0, 5.0)), (2.0, 0.0)),
        (((-1.0, 1.0), (0.0, 5.0)), (1.0, 0.0)),
    ],
)
def test_the_minimum_of_a_paraboloid_within_bounds(bounds, minimum):
    loss = paraboloid(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([3.0, -2.0]))
    for start in ([0.0, 0.0], [-1.0, 5.0], [100.0, -100.0]):
        assert minimise(loss, np.array(start), bounds)[0] == pytest.approx(np.array(minimum), abs=1e-6)


@pytest.mark.parametrize("curvature", [[[1.0, 2.0], [2.0, 1.0]], [[-1.0, 0.5], [0.5, -1.0]], [[0.0, 1.0], [1.0, 0.0]]])
def test_where_the_loss_is_not_convex_it_falls_until_a_bound(curvature):
    loss = paraboloid(np.array(curvature), np.zeros(2))
    found, _ = minimise(loss, np.array([0.3, -0.1]), ((-2.0, 2.0), (-2.0, 2.0)))
    corners = [loss(np.array([a, b])).value for a in (-2.0, 2.0) for b in (-2.0, 2.0)]
    assert loss(found).value == pytest.approx(min(corners))


def test_a_loss_that_is_no_number_leaves_the_start():
    start = np.array([1.0, 2.0])
    found, _ = minimise(lambda at: LogLoss(np.nan, np.full(2, np.nan), np.full(3, np.nan)), start, (FREE, FREE))
    assert found.tolist() == [1.0, 2.0]


@st.composite
def logits_and_truth(draw):
    """Logits of any size, separable, misleading, random or equal; weights; absent classes."""
    n, n_classes = draw(st.integers(1, 80)), draw(st.integers(3, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    z = rng.normal(rng.normal(-1, 1), 1, (n, n_classes))
    noise = draw(st.sampled_from((0.0, 0.3, 2.0, 30.0)))
    best = (draw(st.sampled_from((1, -1))) * z + noise * rng.gumbel(size=z.shape)).argmax(axis=1)
    z = z * draw(st.sampled_from((0.0, 1e-8, 1.0, 30.0, 1e8)))
    z[0] *= draw(st.sampled_from((1.0, 1e4)))
    weights = draw(st.sampled_from((None, rng.random(n), rng.integers(0, 3, n).astype(float), np.full(n, 1e6))))
    absent = draw(st.sampled_from((None, rng.random(z.shape) < 0.3)))
    return z, np.eye(n_classes, dtype=bool)[best], weights, absent


@settings(max_examples=50)
@given(logits_and_truth())
def test_no_other_sigmoid_scaling_that_scipy_finds_is_better(case):
    z, Y, weights, absent = case
    found = SigmoidScaling.fit(z.copy(), Y, Task.MULTICLASS, weights, absent)
    w = np.ones(len(z)) if weights is None else weights
    present = np.ones(z.shape, dtype=bool) if absent is None else ~absent
    used = (present & Y).any(axis=1) & (present.sum(axis=1) > 1) & (w > 0)
    z, Y, w, present = np.where(present, z, 0.0)[used], Y[used], w[used], present[used]
    spread = z[present].std() if used.any() else 0.0
    if spread == 0:
        assert found == SigmoidScaling()
        return
    n = w.sum()
    target = np.where(Y, (n + 1) / (n + 2), present / (n + 2) / (present.sum(axis=1, keepdims=True) - 1))

    def loss(at):
        scores = np.where(present, log_expit(np.exp(at[0]) * z / spread + at[1]), -np.inf)
        return -(w[:, None] * target * np.where(present, log_softmax(scores, axis=1), 0.0)).sum() / n

    found_loss = loss((np.log(found.slope * spread), found.intercept))
    for start in ((0.5, -4.0), (0.5, 0.0)):
        other = minimize(loss, start, method="L-BFGS-B", bounds=((-5, 6), (-30, 15)))
        assert found_loss <= other.fun + 1e-4


@settings(max_examples=50)
@given(logits_and_truth())
def test_no_other_line_that_scipy_finds_is_better_for_a_label(case):
    """For the line of all labels together, which each label's is near: of one label it is its own."""
    z, Y, weights, absent = (None if of is None else of[:, :1] if of.ndim == 2 else of for of in case)
    found = PlattScaling.fit(z, Y, Task.MULTILABEL, weights, absent)
    w = (np.ones(len(z)) if weights is None else weights)[:, None] * (1.0 if absent is None else ~absent)
    spread = z[w > 0].std() if (w > 0).any() else 0.0
    if spread == 0:
        assert found == PlattScaling((1.0,), (0.0,))
        return
    positive, negative = w[Y].sum(), w[~Y].sum()
    target = np.where(Y, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def loss(at):
        x = at[0] * z / spread + at[1]
        return -(w * (target * log_expit(x) + (1 - target) * log_expit(-x))).sum() / w.sum()

    bounds = ((0.01, None), (None, None))
    other = minimize(loss, (1.0, 0.0), method="L-BFGS-B", bounds=bounds)
    assert loss((found.slopes[0] * spread, found.intercepts[0])) <= other.fun + 1e-6
