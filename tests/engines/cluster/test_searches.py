"""`tagline sweep` on a cluster, of which a node is lost, and the evaluations of `tagline tune`, as on one machine."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tagline.experiments.sweep.trial_store import Outcome, read_outcomes
from tests.engines.cluster.raylets import RayCluster
from tests.serve.service import waited

pytestmark = [pytest.mark.slow, pytest.mark.alone]

SEEDS = 20


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search") / "reviews.csv"
    rows = [(f"{'a fine' if i % 3 else 'a dull'} film {i % 7} {i}", "pos" if i % 4 else "neg") for i in range(600)]
    pl.DataFrame(rows, schema=["text", "label"], orient="row").write_csv(path)
    return path


def sweep(data: Path, out: Path) -> list[str]:
    grid = "--recipe", "naive-bayes", "--grid", "model.alpha=0.1,1", "--seeds", str(SEEDS)
    return ["sweep", str(data), *grid, "--out", str(out)]


def outcomes(folder: Path) -> dict[int, Outcome]:
    trials = folder / "trials.sqlite"
    return {n: replace(one, seconds=None) for n, one in read_outcomes(trials).items()} if trials.exists() else {}


def test_trials_are_those_of_the_local_engine_if_a_node_is_killed(
    cluster: RayCluster, data: Path, tmp_path: Path
) -> None:
    local, ray = tmp_path / "local", tmp_path / "ray"
    subprocess.run([sys.executable, "-m", "tagline", *sweep(data, local), "--quiet"], check=True, capture_output=True)
    with cluster.command(*sweep(data, ray), "--engine", "ray", "--address", cluster.address) as process:
        waited(lambda: process.poll() is not None or len(outcomes(ray)) > 3, 60)
        cluster.kill_raylet()
        assert len(outcomes(ray)) < 2 * SEEDS
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert len(outcomes(ray)) == 2 * SEEDS
    assert outcomes(ray) == outcomes(local)
    assert {one.status for one in outcomes(ray).values()} == {"done"}


EVALUATE = """
import sys
from pathlib import Path

from tagline.data import load_dataset
from tagline.engines import LOCAL
from tagline.engines.cluster import ray_engine
from tagline.errors import TaglineError
from tagline.experiments.shared_data import save_shared_data
from tagline.experiments.tune.scoring import EvaluationContext, EvaluationTask, prepare
from tagline.recipes import load_recipe


def evaluated(engine, context):
    reports, ends = {}, {}
    recipes = [load_recipe(name).model_dump(mode="json") for name in ("naive-bayes", "linear-svm")]
    tasks = [EvaluationTask(number, recipe, (0, 1, 2), measured=False) for number, recipe in enumerate(recipes)]
    with engine.workers(2, prepare, context) as workers:
        while len(ends) < len(recipes):
            while tasks and workers.n_idle:
                workers.submit(tasks.pop())
            for message in workers.poll(1.0):
                if message.kind == "report":
                    reports[message.task.number, message.value.fold] = message.value.rows.tolist()
                    assert workers.memory_mb(min(workers.running)) > 10
                    workers.reply(message.task, go_on=message.value.fold < 1)
                else:
                    ends[message.task.number] = message.kind, message.value
    return reports, ends


class Damaged:
    # A context that no process can unpickle.

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return int, ("no number",)


def why_none_starts(engine, folder):
    try:
        with engine.workers(1, prepare, Damaged(folder)) as workers:
            while True:
                workers.poll(1.0)
    except TaglineError as error:
        return error


if __name__ == "__main__":
    data, folder, address = sys.argv[1:]
    save_shared_data(Path(folder), load_dataset(data), None)
    context = EvaluationContext(Path(folder), "accuracy", 0)
    with ray_engine(address) as engine:
        found = evaluated(engine, context)
        print(why_none_starts(engine, context.folder))
    assert found == evaluated(LOCAL, context)
    print(*sorted(found[0]), *found[1].values())
"""


def test_evaluations_of_a_search_are_those_of_local_processes(cluster: RayCluster, data: Path, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(EVALUATE)
    command = [tmp_path / "script.py", data, tmp_path / "shared", cluster.address]
    done = cluster.run_python(*command)
    reason, _, reports = done.stdout.partition("\n")
    assert reason.startswith("No process starts on the nodes of the Ray cluster: "), done
    assert "no number" in reason
    assert reports == "(0, 0) (0, 1) (1, 0) (1, 1) ('done', None) ('done', None)\n", done.stderr
