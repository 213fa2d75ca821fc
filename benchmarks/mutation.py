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
class Target:
    """A module to mutate, its area, and the tests that should notice, the nearest first."""

    area: str
    module: str
    tests: tuple[str, ...]


_METRICS = ("metrics/test_losses.py", "metrics/intervals", "metrics/test_block.py", "metrics/test_registry.py")
TARGETS = (
    Target("batching", "serve/batching.py", ("serve/test_batching.py",)),
    Target("splits", "data/splits/row_units.py", ("data/splits",)),
    Target("splits", "data/splits/stratified.py", ("data/splits",)),
    Target("splits", "data/splits/folds.py", ("data/splits",)),
    Target("splits", "learners/holdout.py", ("learners/test_holdout.py",)),
    Target("storage", "bundle.py", ("test_bundle.py",)),
    Target("storage", "storage/atomic.py", ("storage/test_atomic.py", "test_bundle.py")),
    Target("calibration", "calibration/temperature.py", ("calibration", "metrics/test_calibration_error.py")),
    Target("metrics", "metrics/calibration_error.py", ("metrics/test_calibration_error.py", *_METRICS)),
    Target("metrics", "metrics/ranking.py", ("metrics/test_ranking.py", *_METRICS)),
    Target("metrics", "metrics/comparison/compare.py", ("metrics/comparison/test_compare.py",)),
    Target("metrics", "metrics/counts.py", (*_METRICS, "metrics/comparison/test_compare.py")),
    Target("metrics", "metrics/intervals/bootstrap.py", (*_METRICS, "metrics/comparison/test_compare.py")),
    Target("metrics", "metrics/losses.py", _METRICS),
)
SHARES = {"metrics": 0.4, "splits": 0.2, "storage": 0.2, "calibration": 0.1, "batching": 0.1}


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


def sample(mutants: int, seed: int) -> list[tuple[Target, MutationSpec]]:
    """Draw mutants from all areas, from each its share."""
    draw = random.Random(seed)
    drawn: list[tuple[Target, MutationSpec]] = []
    for area, share in SHARES.items():
        found = [
            (target, mutant)
            for target in TARGETS
            if target.area == area
            for mutant in mutants_of(ROOT / "src" / "tagline" / target.module)
        ]
        drawn += draw.sample(found, min(round(mutants * share), len(found)))
    return sorted(drawn, key=lambda each: TARGETS.index(each[0]))


def run(mutants: Sequence[tuple[Target, MutationSpec]], copies: Sequence[Path], python: str) -> list[WorkResult]:
    """Run the tests of each mutant, one at a time in each copy of the repository; print the mutants that survive."""
    free: SimpleQueue[Path] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def test(numbered: tuple[int, tuple[Target, MutationSpec]]) -> WorkResult:
        number, (target, mutant) = numbered
        copy = free.get()
        try:
            module = copy / mutant.module_path.relative_to(ROOT)
            in_copy = MutationSpec(module, mutant.operator_name, mutant.occurrence, mutant.start_pos, mutant.end_pos)
            result = mutate_and_test([in_copy], test_command(target, copy, python), SECONDS)
        finally:
            free.put(copy)
        print(f"{number}/{len(mutants)} {target.module}: {result.test_outcome}", file=sys.stderr, flush=True)
        if result.test_outcome == TestOutcome.SURVIVED:
            print(f"{result.diff}\n", file=sys.stderr, flush=True)
        return result

    with ThreadPoolExecutor(len(copies)) as pool:
        return list(pool.map(test, enumerate(mutants, 1)))


def test_command(target: Target, copy: Path, python: str) -> str:
    """Return the command that runs a target's tests on a copy of the repository."""
    variables = [f"PYTHONPATH={copy / 'src'}", "PYTHONDONTWRITEBYTECODE=1"]
    pytest = [python, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow and not alone"]
    tests = [str(copy / "tests" / test) for test in target.tests]
    return shlex.join(["env", *variables, *pytest, "--rootdir", str(copy), "-c", str(copy / "pyproject.toml"), *tests])


def copy_repository(copy: Path, python: str) -> None:
    """Copy the files that git tracks; bytecode is checked by hash, as a mutant may keep size and second of a file."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0")[:-1]:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    compile_all = [python, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", str(copy / "src")]
    subprocess.run(compile_all, check=True)


def main() -> None:
    """Print a table of the areas, and what survived."""
    arguments = parser(__doc__)
    arguments.add_argument("--mutants", type=int, default=320)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--processes", type=int, default=2)
    arguments.add_argument("--python", default=sys.executable, help="the interpreter that runs the tests")
    options = arguments.parse_args()
    mutants = sample(options.mutants, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder) / str(number) for number in range(options.processes)]
        for copy in copies:
            copy_repository(copy, options.python)
        for target in TARGETS:  # the tests must pass without a mutation
            subprocess.run(shlex.split(test_command(target, copies[0], options.python)), check=True)
        results = run(mutants, copies, options.python)
    rows = [["area", "mutants", "killed", "score, %"]]
    for area in (*SHARES, "all"):
        killed = [
            result.test_outcome != TestOutcome.SURVIVED
            for result, (target, _) in zip(results, mutants, strict=True)
            if area in (target.area, "all")
        ]
        rows.append([area, str(len(killed)), str(sum(killed)), f"{100 * sum(killed) / len(killed):.1f}"])
    publish("Mutation testing", table(rows), options.record)


if __name__ == "__main__":
    main()
