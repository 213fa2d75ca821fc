"""A short run of every target of fuzzing, on the same inputs each time; `make fuzz` runs them for an hour."""

import warnings
from random import Random

import pytest

from tests.fuzz import bundles, counting, readers, service, tokenizers
from tests.fuzz.inputs import Choices, mutated
from tests.fuzz.target import Target

TARGETS = [
    (readers.TARGET, 30),
    (bundles.TARGET, 60),
    (service.TARGET, 150),
    (tokenizers.TARGET, 8),
    (counting.TARGET, 40),
]


@pytest.mark.parametrize(("target", "n_inputs"), [pytest.param(*each, id=each[0].name) for each in TARGETS])
def test_inputs_are_accepted_or_refused(target: Target, n_inputs: int) -> None:
    draw, seeds = Random(0), target.seeds()
    accepted = 0
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # numbers that overflow warn
        for _ in range(n_inputs):
            accepted += target.check(mutated(draw, seeds, target.words))
    assert accepted > n_inputs // 20


def test_choices_end_with_the_first_alternative() -> None:
    choices = Choices(b"\x05\x01")
    assert [choices.below(4), choices.pick("ab"), choices.pick("ab"), choices.below(1000)] == [1, "b", "a", 0]
    assert choices.rest() == b""
