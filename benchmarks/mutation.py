"""Mutation testing: a random sample of mutants of the modules whose errors are hardest to notice.

`python benchmarks/mutation.py --mutants 320` prints how many mutants the nearest tests kill, and the diff of each
survivor. It needs the package `cosmic-ray`, which may be in another environment than tagline:
`PYTHON_WITH_COSMIC_RAY benchmarks/mutation.py --python .venv/bin/python`. Mutants are made in copies of the repository.
"""

import ast
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import MutationSpec, mutate_and_test
from cosmic_ray.work_item import TestOutcome, WorkResult

from measure import parser, publish, table

ROOT = Path(__file__).parents[1]
SECONDS = 180.0  # mutants that take longer, such as endless loops, count as killed
# Bitwise operators on floats: any test that runs the line fails.
TRIVIAL = re.compile(r"ReplaceBinaryOperator_(Add|Sub|Mul|Div|FloorDiv|Mod|Pow)_(RShift|LShift|Bit|Pow|Mod)|_Invert$")


@dataclass(frozen=True)
class Area:
    """Modules to mutate, and the tests that should fail."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    share: float  # of the sample


AREAS = (
    Area(
        "metrics",
        tuple(f"metrics/{name}.py" for name in ("counts", "intervals", "ranking", "calibration_error", "compare")),
        ("metrics",),
        0.4,
    ),
    Area("calibration", ("calibration/temperature.py",), ("calibration", "metrics"), 0.1),
    Area("splits", ("data/splits.py", "learners/holdout.py"), ("data/test_splits.py", "learners/test_holdout.py"), 0.2),
    Area("storage", ("bundle.py", "atomic.py"), ("test_bundle.py", "test_atomic.py"), 0.2),
    Area("batching", ("serve/batching.py",), ("serve/test_batching.py",), 0.1),
)


def mutants_of(module: Path) -> list[MutationSpec]:
    """Return all mutations of a module except those of annotations, which do not change behaviour."""
    source = module.read_text(encoding="utf-8")
    annotated = [
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
        for parent in ast.walk(ast.parse(source))
        for node in (getattr(parent, "annotation", None), getattr(parent, "returns", None))
        if node is not None
    ]
    found = []
    tree = get_ast(source)
    for name in cosmic_ray.plugins.operator_names():
        kind = cosmic_ray.plugins.get_operator(name)
        if kind.arguments() or TRIVIAL.search(name):
            continue
        operator = kind()
        places = (place for node in ast_nodes(tree) for place in operator.mutation_positions(node))
        for occurrence, (start, end) in enumerate(places):
            if not any(first <= start and end <= last for first, last in annotated):
                found.append(MutationSpec(module, name, occurrence, start, end))
    return found


def sample(mutants: int, seed: int) -> list[tuple[Area, MutationSpec]]:
    """Draw the share of each area from its mutants."""
    draw = random.Random(seed)
    drawn: list[tuple[Area, MutationSpec]] = []
    for area in AREAS:
        found = [mutant for name in area.modules for mutant in mutants_of(ROOT / "src" / "tagline" / name)]
        drawn += [(area, mutant) for mutant in draw.sample(found, min(round(mutants * area.share), len(found)))]
    return drawn


def run(mutants: Sequence[tuple[Area, MutationSpec]], copies: Sequence[Path], python: str) -> list[WorkResult]:
    """Run the tests of each mutant, one mutant at a time in each copy of the repository."""
    free: SimpleQueue[Path] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def test(numbered: tuple[int, tuple[Area, MutationSpec]]) -> WorkResult:
        number, (area, mutant) = numbered
        copy = free.get()
        try:
            module = copy / mutant.module_path.relative_to(ROOT)
            in_copy = MutationSpec(module, mutant.operator_name, mutant.occurrence, mutant.start_pos, mutant.end_pos)
            result = mutate_and_test([in_copy], test_command(area, copy, python), SECONDS)
        finally:
            free.put(copy)
        print(f"{number}/{len(mutants)} {area.name}: {result.test_outcome}", file=sys.stderr, flush=True)
        return result

    with ThreadPoolExecutor(len(copies)) as pool:
        return list(pool.map(test, enumerate(mutants, 1)))


def test_command(area: Area, copy: Path, python: str) -> str:
    """Return the command that runs an area's tests on a copy of the repository."""
    variables = [f"PYTHONPATH={copy / 'src'}", "PYTHONDONTWRITEBYTECODE=1"]
    pytest = [python, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow and not alone"]
    tests = [str(copy / "tests" / test) for test in area.tests]
    return shlex.join(["env", *variables, *pytest, "--rootdir", str(copy), "-c", str(copy / "pyproject.toml"), *tests])


def main() -> None:
    """Print a table of the areas, and the diffs of the survivors."""
    arguments = parser(__doc__)
    arguments.add_argument("--mutants", type=int, default=320)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--processes", type=int, default=2)
    arguments.add_argument("--python", default=sys.executable, help="the interpreter that runs the tests")
    options = arguments.parse_args()
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    mutants = sample(options.mutants, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder) / str(number) for number in range(options.processes)]
        for copy in copies:
            for name in listed.split("\0")[:-1]:
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copy / name)
        for area in AREAS:
            subprocess.run(shlex.split(test_command(area, copies[0], options.python)), check=True)
        results = run(mutants, copies, options.python)
    survived = [result.test_outcome == TestOutcome.SURVIVED for result in results]
    rows = [["area", "mutants", "killed", "score, %"]]
    for name in (*(area.name for area in AREAS), "all"):
        of_area = [lived for lived, (area, _) in zip(survived, mutants, strict=True) if name in (area.name, "all")]
        rows.append(
            [name, str(len(of_area)), str(of_area.count(False)), f"{100 * of_area.count(False) / len(of_area):.1f}"]
        )
    for result, lived in zip(results, survived, strict=True):
        if lived:
            print(f"{result.diff}\n", file=sys.stderr)
    publish("Mutation testing", table(rows), options.record)


if __name__ == "__main__":
    main()
