"""The soak test of `benchmarks/soak.py`, for seconds and with small limits."""

import json
import sys
from pathlib import Path

import pytest

from tagline import TextClassifier
from tagline.serve.http.limits import Limits
from tests.serve.service import TEXTS
from tests.synthetic_texts import made_up

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def soak(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import soak as module

    yield module
    for name in ("soak", "soak_client", "soak_traffic", "measure"):
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_mixed_traffic_breaks_no_promise(soak, models, tmp_path):
    TextClassifier("fast").fit(*made_up(300, seed=1)).save(tmp_path / "other")
    limits = Limits(50_000, 100_000, max_texts=20, max_chars=2000, max_concurrent=40, timeout=1.5)
    outcome = soak.soak({"two": [models["two"], tmp_path / "other"]}, TEXTS, limits, minutes=0.04, seed=0)
    assert outcome.broken == []
    kinds = set(outcome.tally.outcomes)
    assert {"predict, one text", "explain", "vanished", "slow: sends for seconds", "new model served"} <= kinds
    assert any(kind.startswith("file") for kind in kinds)
    assert any(kind.startswith("refused") for kind in kinds)
    assert outcome.replaced["valid"]
    assert "0 accepted requests lost, 0 wrong answers" in soak.report(outcome, limits, 0.04)


def test_what_breaks_a_promise(soak):
    from soak_traffic import Expected, WrongAnswerError

    expected = Expected({"a": ("c0", 0.9)})
    expected.check("a", "c0", 0.9)
    for label, probability in (("c1", 0.9), ("c0", 0.8)):
        with pytest.raises(WrongAnswerError):
            expected.check("a", label, probability)
    request, fault = {"event": "request", "status": 200}, {"event": "fault", "trace": "KeyError at x.py:1 f"}
    lines = [json.dumps(request), json.dumps(fault), "Traceback (most recent call last):"]
    assert len(soak._log_faults(lines)) == 2
