"""Sigmoid and Platt scaling against SciPy, definitions and rows repeated; the choice between methods; storage."""

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_softmax, softmax

from tagline.calibration import (
    CALIBRATORS,
    PlattScaling,
    SigmoidScaling,
    TemperatureScaling,
    choose_calibrator,
    restore_calibrator,
)
from tagline.task import Task

N_CLASSES = 5


def one_against_rest(n: int, slope: float, intercept: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return logits, and classes drawn in proportion to their sigmoids."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1, 1, (n, N_CLASSES))
    p = expit(slope * logits + intercept)
    drawn = (rng.random(n)[:, None] > np.cumsum(p / p.sum(axis=1, keepdims=True), axis=1)).sum(axis=1)
    return logits, np.eye(N_CLASSES, dtype=bool)[drawn]


def labels(n: int, slopes: np.ndarray, intercepts: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1, 1, (n, len(slopes)))
    return logits, rng.random(logits.shape) < expit(slopes * logits + intercepts)


@pytest.mark.parametrize(("slope", "intercept"), [(3.0, -1.0), (0.5, 0.0), (6.0, 1.0)])
def test_sigmoid_scaling_finds_the_numbers_that_classes_were_drawn_with(slope, intercept):
    found = SigmoidScaling.fit(*one_against_rest(20_000, slope, intercept), Task.MULTICLASS)
    assert found.slope == pytest.approx(slope, rel=0.15)
    assert found.intercept == pytest.approx(intercept, abs=0.3)


def test_sigmoid_scaling_minimises_the_log_loss():
    logits, Y = one_against_rest(400, 3.0, -1.0)

    def loss(at):
        log_p = log_softmax(log_expit(at[0] * logits + at[1]), axis=1)
        target = np.where(Y, 401 / 402, 1 / 402 / (N_CLASSES - 1))  # Platt's
        return -(target * log_p).sum(axis=1).mean()

    found = SigmoidScaling.fit(logits, Y, Task.MULTICLASS)
    best = min((minimize(loss, start, method="Nelder-Mead") for start in ([1, 0], [3, -3])), key=lambda one: one.fun)
    assert loss([found.slope, found.intercept]) == pytest.approx(best.fun, abs=1e-6)
    assert Task.MULTICLASS.probabilities(found.apply(logits)) == pytest.approx(
        softmax(log_expit(found.slope * logits + found.intercept), axis=1)
    )


def test_sigmoid_scaling_of_logits_that_were_learned_together_is_nearly_temperature_scaling():
    rng = np.random.default_rng(1)
    logits = 3 * rng.normal(size=(5_000, N_CLASSES))
    Y = np.eye(N_CLASSES, dtype=bool)[(logits / 2 + rng.gumbel(size=logits.shape)).argmax(axis=1)]
    found = (method.fit(logits, Y, Task.MULTICLASS) for method in (SigmoidScaling, TemperatureScaling))
    one, other = (Task.MULTICLASS.probabilities(calibrator.apply(logits)) for calibrator in found)
    assert np.abs(one - other).mean() < 0.005


def test_sigmoids_are_those_of_scipy_bit_for_bit():
    logits = np.concatenate([np.random.default_rng(0).normal(0, size, (1_000, 3)) for size in (0.1, 1, 30, 1_000)])
    found = SigmoidScaling(1.5, -0.25).apply(logits)
    assert np.array_equal(found.view(np.int64), log_expit(1.5 * logits - 0.25).view(np.int64))


def test_applying_a_calibrator_imports_no_special_functions():
    code = (
        "import sys, numpy as np; from tagline.calibration import PlattScaling, SigmoidScaling, TemperatureScaling; "
        "logits = np.zeros((2, 3)); SigmoidScaling().apply(logits); TemperatureScaling(2.0).apply(logits); "
        "PlattScaling((1.0,) * 3, (0.0,) * 3).apply(logits); print('scipy.special' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout == "False\n"


def test_platt_scaling_finds_the_numbers_of_each_label():
    slopes, intercepts = np.array([1.0, 2.0, 4.0]), np.array([0.0, -1.0, 1.0])
    found = PlattScaling.fit(*labels(20_000, slopes, intercepts), Task.MULTILABEL)
    assert found.slopes == pytest.approx(slopes, rel=0.1)
    assert found.intercepts == pytest.approx(intercepts, abs=0.15)


def test_a_label_of_few_rows_stays_near_the_others():
    logits, Y = labels(2_000, np.full(4, 2.0), np.full(4, -1.0))
    Y[:, 3] = False
    Y[:2, 3] = True  # whatever their logits are
    found = PlattScaling.fit(logits, Y, Task.MULTILABEL)
    assert all(slope > 0 for slope in found.slopes)
    assert np.isfinite(found.intercepts).all()
    assert expit(found.intercepts[3] - found.slopes[3]) < 0.05


def test_logits_that_mislead_keep_their_order():
    logits, Y = labels(2_000, np.array([2.0, -3.0]), np.zeros(2))
    assert min(PlattScaling.fit(logits, Y, Task.MULTILABEL).slopes) > 0
    logits, Y = one_against_rest(2_000, -3.0, 0.0)
    assert SigmoidScaling.fit(logits, Y, Task.MULTICLASS).slope > 0


def test_platt_scaling_minimises_the_penalised_log_loss():
    logits, Y = labels(3_000, np.array([1.0, 2.0, 4.0]), np.array([0.0, -1.0, 1.0]))
    weights = np.random.default_rng(2).random(3_000)

    def minimise(columns, center, penalty):
        z, y, w = logits[:, columns], Y[:, columns], np.broadcast_to(weights[:, None], (3_000, 3))[:, columns]
        positive, negative = w[y].sum(), w[~y].sum()
        target = np.where(y, (positive + 1) / (positive + 2), 1 / (negative + 2))  # Platt's

        def loss(at):
            x = at[0] * z + at[1]
            distance = ((at - center) / [center[0], 1]) ** 2
            return -(w * (target * log_expit(x) + (1 - target) * log_expit(-x))).sum() + penalty / 2 * distance.sum()

        return minimize(loss, center, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}).x

    together = minimise(slice(None), np.array([1.0, 0.0]), 0.0)
    found = PlattScaling.fit(logits, Y, Task.MULTILABEL, weights)
    best = np.array([minimise([k], together, 10.0) for k in range(3)])
    assert np.column_stack([found.slopes, found.intercepts]) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("method", CALIBRATORS.values())
def test_the_start_makes_no_difference(method):
    task = max(method.tasks)
    made = one_against_rest(5_000, 3.0, -1.0) if task is Task.MULTICLASS else labels(5_000, np.full(3, 2.0), np.ones(3))
    logits, Y = made
    found, near = method.fit(logits, Y, task), method.fit(logits[:4_000], Y[:4_000], task)
    assert near != found
    again = method.fit(logits, Y, task, None, None, near)
    assert again.apply(logits) == pytest.approx(found.apply(logits), abs=1e-7 if method is not SigmoidScaling else 1e-3)


@pytest.mark.parametrize("method", CALIBRATORS.values())
def test_the_number_of_cores_makes_no_difference(method, monkeypatch):
    for task in method.tasks - {Task.BINARY}:
        logits, Y = one_against_rest(20_000, 3.0, -1.0)
        found = method.fit(logits, Y, task)
        monkeypatch.setattr("tagline.parallel.cores", lambda: 1)
        assert method.fit(logits, Y, task) == found
        monkeypatch.setattr("tagline.parallel.cores", lambda: 3)
        assert method.fit(logits, Y, task) == found


@pytest.mark.parametrize("method", [SigmoidScaling, PlattScaling])
def test_a_weight_counts_a_row_so_many_times(method):
    (task,) = method.tasks
    made = one_against_rest(600, 2.0, -1.0) if task is Task.MULTICLASS else labels(600, np.arange(1.0, 4.0), np.ones(3))
    logits, Y = made
    weights = np.random.default_rng(3).integers(0, 4, 600)
    again = np.repeat(np.arange(600), weights)
    weighted, repeated = method.fit(logits, Y, task, weights.astype(float)), method.fit(logits[again], Y[again], task)
    assert weighted.apply(logits) == pytest.approx(repeated.apply(logits), abs=2e-3)
    plain = method.fit(logits, Y, task)
    assert method.fit(logits, Y, task, np.ones(600)) == plain
    assert weighted.apply(logits) != pytest.approx(plain.apply(logits), abs=2e-3)
    assert np.isfinite(method.fit(logits, Y, task, np.zeros(600)).apply(logits)).all()
    assert np.isfinite(method.fit(logits[:0], Y[:0], task).apply(logits)).all()


@pytest.mark.parametrize("method", [SigmoidScaling, PlattScaling])
def test_logits_of_absent_classes_do_not_count(method):
    (task,) = method.tasks
    made = one_against_rest(500, 2.0, -1.0) if task is Task.MULTICLASS else labels(500, np.arange(1.0, 6.0), np.ones(5))
    logits, Y = made
    absent = np.zeros(Y.shape, dtype=bool)
    absent[:200, 1] = True
    found = method.fit(logits, Y, task, None, absent)
    logits[:200, 1] = 1e6
    again = method.fit(logits, Y, task, None, absent)
    logits[:200, 1] = 0.0
    assert again.apply(logits) == pytest.approx(found.apply(logits), rel=1e-4)


def test_the_method_with_the_lowest_log_loss_of_other_rows_is_chosen():
    methods = list(CALIBRATORS.values())
    logits, Y = one_against_rest(5_000, 4.0, 1.0)
    assert choose_calibrator(methods, logits, Y, Task.MULTICLASS).kind == "sigmoid"
    rng = np.random.default_rng(1)
    logits = 3 * rng.normal(size=(5_000, N_CLASSES))
    Y = np.eye(N_CLASSES, dtype=bool)[(logits / 2 + rng.gumbel(size=logits.shape)).argmax(axis=1)]
    assert choose_calibrator(methods, logits, Y, Task.MULTICLASS).kind == "temperature"
    logits, Y = labels(5_000, np.array([1.0, 4.0]), np.array([-1.0, 2.0]))
    assert choose_calibrator(methods, logits, Y, Task.MULTILABEL).kind == "platt"
    assert choose_calibrator(methods, logits, Y ^ True, Task.MULTILABEL) == choose_calibrator(
        methods, logits, Y ^ True, Task.MULTILABEL, np.ones(5_000), np.zeros(Y.shape, dtype=bool)
    )
    assert choose_calibrator(methods, logits[:, :1], np.eye(2, dtype=bool)[Y[:, 0].astype(int)], Task.BINARY).kind == (
        "temperature"
    )
    assert choose_calibrator(methods, logits[:3], Y[:3], Task.MULTILABEL).kind == "temperature"  # too few to compare


@pytest.mark.parametrize("kind", CALIBRATORS)
def test_a_calibrator_survives_json(kind):
    method = CALIBRATORS[kind]
    task = max(method.tasks)
    logits, Y = one_against_rest(50, 2.0, 0.0)
    fitted = method.fit(logits, Y, task)
    table = json.loads(json.dumps(fitted.to_json()))
    assert table["kind"] == kind
    assert restore_calibrator(table) == fitted
    slope, intercept = fitted.line(N_CLASSES)
    assert slope.shape == intercept.shape == (N_CLASSES,)
    assert (slope > 0).all()


@pytest.mark.parametrize("value", [None, "1", True, float("nan"), float("inf"), -float("inf"), 10**400, [1.0]])
def test_damaged_numbers_are_errors(value):
    good = [
        {"kind": "sigmoid", "slope": 1.0, "intercept": 0.0},
        {"kind": "platt", "slopes": [1.0], "intercepts": [0.0]},
    ]
    for table in good:
        restore_calibrator(table)
        for name in table.keys() - {"kind"}:
            damaged = [value, 1.0] if table["kind"] == "platt" else value
            with pytest.raises(ValueError, match=f"`{name}`"):
                restore_calibrator(table | {name: damaged})
    for value in (0, -1.0):
        with pytest.raises(ValueError, match="above 0"):
            restore_calibrator(good[0] | {"slope": value})
        with pytest.raises(ValueError, match="above 0"):
            restore_calibrator(good[1] | {"slopes": [value]})
    with pytest.raises(ValueError, match="2 `slopes` and 1 `intercepts`"):
        restore_calibrator(good[1] | {"slopes": [1.0, 2.0]})
