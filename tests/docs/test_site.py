"""The documentation site builds without warnings and contains its references."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import LEARN, ROOT


@pytest.mark.slow
def test_site(tmp_path: Path) -> None:
    """``strict`` in mkdocs.yml turns a dead link or anchor, or a missing docstring, into an error."""
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", tmp_path / "site"]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stderr) == (0, "")
    pages = {page.relative_to(tmp_path / "site").parent.as_posix() for page in (tmp_path / "site").rglob("*.html")}
    assert {"reference/python", "reference/command-line", "CHANGELOG", "benchmarks/RESULTS"} <= pages
    assert {f"learn/{page.stem}" for page in LEARN if page.stem != "README"} <= pages
    found = {one["location"] for one in json.loads((tmp_path / "site/search/search_index.json").read_text())["docs"]}
    assert {"reference/python/#tagline.TextClassifier.fit", "reference/command-line/#tagline-train"} <= found
    for page in ("index.html", "reference/python/index.html"):  # nothing is loaded from elsewhere
        html = (tmp_path / "site" / page).read_text(encoding="utf-8")
        assert 'src="http' not in html
        assert 'rel="stylesheet" href="http' not in html
