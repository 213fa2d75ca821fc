"""The examples of deploying are linted, and what they run is run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from tagline.cli.app import app

DEPLOY = Path(__file__).parents[2] / "examples" / "deploy"
SERVICE, DOCKERFILE = DEPLOY / "tagline.service", DEPLOY / "Dockerfile"
MOST_EXPOSED = 2.0  # of 10, as systemd-analyze counts


def options_of(command: list[str]) -> list[str]:
    return [word for word in command if word.startswith("--")]


def test_the_unit_is_valid_and_hardened(tmp_path):
    unit = tmp_path / "tagline.service"
    unit.write_text(SERVICE.read_text().replace("/opt/tagline/bin/tagline", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    command = ["systemd-analyze", "security", "--offline=true", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    exposure = re.search(r"Overall exposure level for tagline.service: ([\d.]+)", done.stdout)
    assert exposure
    assert float(exposure[1]) <= MOST_EXPOSED


def test_the_dockerfile_passes_the_linter():
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_commands_use_existing_options():
    found = re.search(r"^ExecStart=(.+)$", SERVICE.read_text(), re.MULTILINE)
    entry = re.search(r"^ENTRYPOINT \[(.+)\]$", DOCKERFILE.read_text(), re.MULTILINE)
    assert found
    assert entry
    shown = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"}).output
    for command in (shlex.split(found[1]), [word.strip(' "') for word in entry[1].split(",")]):
        assert "serve" in command[:2]
        assert options_of(command)
        for option in options_of(command):
            assert option in shown


def test_the_health_check_of_the_image_works(locked):
    found = re.search(r'CMD \["python", "-c", "(.+)"\]', DOCKERFILE.read_text())
    assert found
    exec(found[1].replace("http://127.0.0.1:8000", locked.address))  # raises unless it is healthy
