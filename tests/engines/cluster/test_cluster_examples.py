"""The examples of clusters are linted, and agree with the versions and options of this project."""

import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from tagline.cli.app import app

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "cluster"
JOB: dict[str, Any] = yaml.safe_load((EXAMPLES / "predict.yaml").read_text())
CLUSTER = JOB["spec"]["rayClusterSpec"]
GROUPS = [CLUSTER["headGroupSpec"], *CLUSTER["workerGroupSpecs"]]


def ray_version() -> str:
    (found,) = re.findall(r"^ray==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    return str(found)


def test_the_dockerfile_passes_the_linter() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, EXAMPLES / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_image_and_job_have_the_tested_version_of_ray() -> None:
    assert set(re.findall(r"(?:/ray:|ray==)([0-9.]+)", (EXAMPLES / "Dockerfile").read_text())) == {ray_version()}
    assert CLUSTER["rayVersion"] == ray_version()


def test_the_job_is_what_the_operator_expects() -> None:
    """Checked against the schema of KubeRay 1.6.2 when it was written; what was right then must stay."""
    assert (JOB["apiVersion"], JOB["kind"]) == ("ray.io/v1", "RayJob")
    assert JOB["spec"].keys() == {"entrypoint", "shutdownAfterJobFinishes", "backoffLimit", "rayClusterSpec"}
    assert CLUSTER["authOptions"] == {"mode": "token"}
    for group in GROUPS:
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())  # numbers are refused
        pod = group["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        (container,) = pod["containers"]
        assert container["image"] == f"REGISTRY/tagline-ray:{version('tagline')}"
        assert not container["securityContext"]["allowPrivilegeEscalation"]
        assert container["resources"]["requests"] == container["resources"]["limits"]
        volumes = [volume["name"] for volume in pod.get("volumes", [])]
        assert [mount["name"] for mount in container.get("volumeMounts", [])] == volumes
    assert {group["groupName"] for group in CLUSTER["workerGroupSpecs"]} == {"workers"}


def test_the_command_of_the_job_exists() -> None:
    program, command, *words = shlex.split(JOB["spec"]["entrypoint"])
    assert (program, command) == ("tagline", "predict")
    shown = CliRunner().invoke(app, ["predict", "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"}).output
    assert all(word in shown for word in words if word.startswith("--"))
    assert words[words.index("--output") + 1].endswith("/")  # a folder, so that the job can be resumed
