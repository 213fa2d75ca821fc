"""`Target`: what is fuzzed, with its first inputs and what must hold of every input."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A target of fuzzing.

    ``check`` takes any bytes. It returns True if the project accepts the input and False if it refuses it with a
    `TaglineError` or an HTTP status below 500. Anything else is a finding: another exception, or an `AssertionError` of
    what must hold. ``seeds`` returns inputs to start with, and ``words`` are parts that mutations insert.
    """

    name: str
    check: Callable[[bytes], bool]
    seeds: Callable[[], Sequence[bytes]]
    words: Sequence[bytes] = ()
