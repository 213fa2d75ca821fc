"""Folders of processes on a node: none outlives the next process."""

import subprocess
import sys
from pathlib import Path

import pytest

from tagline.engines.cluster.node_folder import node_folder

HOLD = """
import sys
from tagline.engines.cluster.node_folder import node_folder
with node_folder() as folder:
    (folder / "texts").write_text("private")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_the_folder_of_a_killed_process_is_removed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    started = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with started as process:
        assert process.stdout is not None
        theirs = Path(process.stdout.readline().strip())
        with node_folder() as mine:
            assert theirs.exists()
            assert mine.exists()
        assert not mine.exists()
        process.kill()
    assert theirs.exists()
    with node_folder():
        assert not theirs.exists()
