"""`tagline train --engine ray`: the same bytes on any cluster, whoever is killed, and the vocabulary of one machine."""

import filecmp
import json
from pathlib import Path

import polars as pl
import pytest

from tagline.engines import LOCAL
from tagline.run_folder import RunFolder
from tagline.runs.resume import unfinished_folder
from tagline.runs.train import train_run
from tests.engines.cluster.raylets import RayCluster
from tests.serve.service import waited
from tests.synthetic_texts import made_up

pytestmark = [pytest.mark.slow, pytest.mark.alone]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("train") / "reviews.csv"
    texts, labels = made_up(3_000, 3)
    pl.DataFrame({"text": texts, "label": labels}).write_csv(path)
    return path


def rounds(run: Path) -> int:
    """Return how many rounds an unfinished run has done."""
    state = unfinished_folder(run) / "checkpoints" / "consensus" / "consensus.json"
    try:
        return int(json.loads(state.read_text())["rounds"])
    except FileNotFoundError:
        return 0


@pytest.fixture(scope="module")
def undisturbed(data: Path) -> RunFolder:
    """The run of shards that are all on this machine, which no cluster takes part in."""
    return RunFolder(train_run(data, out=data.with_name("undisturbed"), engine=type(LOCAL)()).folder)


def test_a_run_is_the_same_whoever_is_killed(
    cluster: RayCluster, data: Path, undisturbed: RunFolder, tmp_path: Path
) -> None:
    engine = "--engine", "ray", "--address", cluster.address
    disturbed, all_rounds = tmp_path / "disturbed", undisturbed.record["chosen"]["rounds"]
    cluster.start_again()
    with cluster.command("train", data, "--out", disturbed, *engine) as driver:
        waited(lambda: driver.poll() is not None or rounds(disturbed) > 1, 60)
        driver.kill()
    assert 1 < rounds(disturbed) < all_rounds
    with cluster.command("train", "--resume", disturbed, *engine) as driver:
        before = rounds(disturbed)
        waited(lambda: driver.poll() is not None or rounds(disturbed) > before, 60)
        cluster.kill_raylet()
        assert rounds(disturbed) < all_rounds
        _, err = driver.communicate(timeout=120)
    assert driver.returncode == 0, err
    assert "left the cluster" in err
    for path in undisturbed.model.iterdir():
        assert filecmp.cmp(path, RunFolder(disturbed).model / path.name, shallow=False), path.name
    assert RunFolder(disturbed).record["chosen"]["learnt_from"] == undisturbed.metrics["rows"]["train"]
    assert RunFolder(disturbed).predictions.equals(undisturbed.predictions)
