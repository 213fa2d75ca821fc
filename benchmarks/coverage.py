"""How often what tagline promises holds, by simulation: 95 % intervals that contain the truth.

`python benchmarks/coverage.py --record` runs all parts; `--part NAME` (repeatable) some of them. A part is a module
`coverage_NAME.py` with a `TITLE` and a function `report` from a number of samples to a text with tables.
"""

from collections.abc import Callable, Sequence

import coverage_copies
import coverage_decisions
import coverage_intervals
import coverage_novelty
import coverage_search
from measure import parser, publish

PARTS: dict[str, tuple[str, Callable[[int], str]]] = {
    "intervals": (coverage_intervals.TITLE, coverage_intervals.report),
    "copies": (coverage_copies.TITLE, coverage_copies.report),
    "novelty": (coverage_novelty.TITLE, coverage_novelty.report),
    "decisions": (coverage_decisions.TITLE, coverage_decisions.report),
    "search": (coverage_search.TITLE, coverage_search.report),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate the parts and print their figures in per cent."""
    options = parser(__doc__.splitlines()[0], rounds=1)
    options.add_argument("--samples", type=int, default=1000, help="samples of each kind (default %(default)s)")
    options.add_argument("--part", action="append", choices=list(PARTS), help="only this part; repeatable")
    given = options.parse_args(arguments)
    for name in given.part or PARTS:
        title, report = PARTS[name]
        publish(title, report(given.samples), given.record)


if __name__ == "__main__":
    main()
