"""What tests of learners share."""

import pytest

from tagline.models.linear import logistic_regression, svm


@pytest.fixture
def exact_solvers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solve linear models to the last digits, which do not depend on the order of rows and columns."""
    monkeypatch.setattr(svm, "GAP", 1e-7)
    monkeypatch.setattr(svm, "_MOST_PASSES", 2_000)
    monkeypatch.setattr(svm, "_LIBLINEAR_TOLERANCE", 1e-8)
    monkeypatch.setattr(svm, "_LIBLINEAR_PASSES", 100_000)
    monkeypatch.setattr(logistic_regression, "_DECREMENT", 1e-9)
