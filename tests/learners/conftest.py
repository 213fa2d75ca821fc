"""What tests of learners share."""

import pytest

from tagline.models import linear_svm, logistic_regression


@pytest.fixture
def exact_solvers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solve linear models to the last digits, which do not depend on the order of rows and columns."""
    monkeypatch.setattr(linear_svm, "GAP", 1e-7)
    monkeypatch.setattr(linear_svm, "_MOST_PASSES", 2_000)
    monkeypatch.setattr(linear_svm, "_LIBLINEAR_TOLERANCE", 1e-8)
    monkeypatch.setattr(linear_svm, "_LIBLINEAR_PASSES", 100_000)
    monkeypatch.setattr(logistic_regression, "_DECREMENT", 1e-9)
