"""`tagline predict --engine ray` on a cluster of three nodes: the bytes of the local engine, whoever is killed."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tagline.runs.predicting.parts import MANIFEST
from tests.engines.cluster.raylets import RayCluster
from tests.serve.service import waited

pytestmark = [pytest.mark.slow, pytest.mark.alone]

MODEL = Path(__file__).parents[2] / "golden" / "bundle-v4"
PART_ROWS, PARTS = 20, 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with rows to predict, and their predictions by the local engine in `local`."""
    place = tmp_path_factory.mktemp("predict")
    texts = ["" if i % 500 == 7 else f"a {'fine film' if i % 3 else 'dull bore'} {i}" for i in range(PART_ROWS * PARTS)]
    pl.DataFrame({"id": range(len(texts)), "text": texts}).write_csv(place / "new.csv")
    subprocess.run([sys.executable, "-m", "tagline", *arguments(place, "local"), "--quiet"], check=True)
    return place


def arguments(folder: Path, output: str) -> list[str]:
    paths = MODEL, "--input", folder / "new.csv", "--output", f"{folder / output}/", "--part-rows", PART_ROWS
    return ["predict", *map(str, paths)]


def on_ray(cluster: RayCluster) -> list[str]:
    return ["--engine", "ray", "--address", cluster.address]


def manifest(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    return content


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def n_parts(folder: Path) -> int:
    return len(manifest(folder)["parts"]) if (folder / MANIFEST).exists() else 0


def test_parts_are_those_of_the_local_engine_whoever_is_killed(cluster: RayCluster, folder: Path) -> None:
    place, whole = folder / "ray", folder / "local"
    command = [*arguments(folder, "ray"), *on_ray(cluster)]

    def started(new_parts: int) -> "subprocess.Popen[str]":
        """Return the command when it has written some parts."""
        before = n_parts(place)
        process = cluster.command(*command)
        waited(lambda: process.poll() is not None or n_parts(place) >= before + new_parts, 60)
        return process

    with started(5) as stopped:
        stopped.send_signal(signal.SIGINT)
        out, err = stopped.communicate(timeout=60)
    assert (stopped.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "error: stopped; the same command resumes."
    parts = manifest(place)["parts"]
    assert parts == manifest(whole)["parts"][: len(parts)]

    with started(5) as driver:
        driver.kill()
    assert not manifest(place)["complete"]

    cluster.start_again()  # Ray may have given up a node on a busy machine
    with started(5) as process:
        cluster.kill_raylet()
        assert not manifest(place)["complete"]
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (0, ""), err
    assert content(place) == content(whole)
    assert not [line for line in err.splitlines() if "raylet" in line.lower()]


def test_one_file_is_that_of_the_local_engine(cluster: RayCluster, folder: Path) -> None:
    common = ["predict", str(MODEL), "--input", str(folder / "new.csv"), "--output", "-"]
    ray = cluster.run(*common, *on_ray(cluster))
    parts = [path.read_text() for path in sorted((folder / "local").glob("part-*"))]
    assert ray.returncode == 0, ray.stderr
    assert ray.stdout == parts[0] + "".join(part.partition("\n")[2] for part in parts[1:])
