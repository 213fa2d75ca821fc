"""The help: every command, with an example, at once."""

import dataclasses
import os
import subprocess
import sys

import pytest

from tagline.cli import options
from tagline.data import ReadOptions

COMMANDS = ["train", "predict", "evaluate", "compare", "explain", "report", "runs", "datasets", "recipes"]


def test_help_lists_every_command(call):
    status, out, err = call("--help")
    assert (status, err) == (0, "")
    assert all(name in out for name in COMMANDS)
    assert call()[1] == out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_and_an_example(command, call):
    status, out, _ = call(command, "--help")
    assert status == 0
    assert "Example" in out
    assert f"tagline {command}" in out.split("Example", 1)[1]


def test_version(in_shell):
    done = in_shell("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("tagline ")


@pytest.mark.slow
def test_help_is_quick(in_shell):
    seconds = []
    for _ in range(3):
        before = os.times()
        in_shell("--help")
        after = os.times()
        # Of a core: a busy machine is no failure.
        seconds.append(sum(after[2:4]) - sum(before[2:4]))
    assert 0 < min(seconds) < 0.6


def test_help_imports_nothing_heavy():
    script = "import sys; from tagline.cli import main; main(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "typer" in loaded
    assert not loaded & {"numpy", "polars", "sklearn", "matplotlib", "jinja2", "pydantic", "importlib.resources"}


def test_the_options_of_reading_are_those_of_the_library():
    defaults = {field.name: field.default for field in dataclasses.fields(ReadOptions)}
    assert {name: defaults[name] for name in options.DETECTED} == options.DETECTED
    assert options.Reading.__annotations__.keys() == options.DETECTED.keys()
