"""The notebooks in examples/: executed, small, without a trace of the machine, and their code runs."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import tagline
from tagline import DownloadError, Split
from tests.docs.pages import EXECUTE, PAGES, ROOT, execute_module, identify

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
MOST_BYTES = 300_000
SMALL = {
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# One"]},
        {
            "cell_type": "code",
            "execution_count": 7,
            "id": "b",
            "metadata": {},
            "outputs": [{"name": "stdout", "output_type": "stream", "text": ["stale"]}],
            "source": ["x = 1\n", "print('one')\n", "x"],
        },
        {"cell_type": "code", "execution_count": None, "id": "c", "metadata": {}, "outputs": [], "source": ["x += 1"]},
        {"cell_type": "code", "execution_count": None, "id": "d", "metadata": {}, "outputs": [], "source": ["Show()"]},
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.fixture(scope="module")
def execute() -> ModuleType:
    return execute_module()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=identify)
def test_a_notebook_is_executed_small_and_says_nothing_of_the_machine(notebook: Path) -> None:
    content = notebook.read_bytes()
    assert len(content) < MOST_BYTES
    cells = json.loads(content)["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert cells[0]["cell_type"] == "markdown"
    assert len({cell["id"] for cell in cells}) == len(cells)
    outputs = [output for cell in code for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"stream", "execute_result"}
    assert any("image/svg+xml" in output.get("data", {}) for output in outputs)
    assert any("text/html" in output.get("data", {}) for output in outputs)
    assert not re.search(rb"/(home|root|tmp|work|Users|mnt|usr)/", content)


def test_notebooks_are_linked_from_the_readme() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES if page.name in ("README.md", "python.md"))
    assert len(NOTEBOOKS) == 3
    assert all(f"examples/{notebook.name})" in pages for notebook in NOTEBOOKS)


def thinned(split: Split) -> Split:
    step = max(1, len(split) // 400)
    return replace(split, texts=split.texts[::step], labels=split.labels[::step])


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=identify)
def test_notebooks_run(notebook: Path, execute: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """On few rows, and without the files that must be downloaded."""
    load_all = tagline.load_dataset

    def load(data: Any, **options: Any) -> Any:
        if data == "reuters":
            raise DownloadError("Nothing is downloaded.")
        loaded = load_all(data, **options)
        return replace(loaded, train=thinned(loaded.train), test=thinned(loaded.test))

    monkeypatch.setattr(tagline, "load_dataset", load)
    monkeypatch.setattr(sys, "argv", [str(EXECUTE), "--check", str(notebook)])
    before = notebook.read_bytes()
    assert execute.main() == 0
    assert notebook.read_bytes() == before


def test_cells_show_what_jupyter_shows(execute: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = tmp_path / "small.ipynb"
    given = json.loads(json.dumps(SMALL))
    given["cells"][2]["source"] = [
        "class Show:\n",
        "    def _repr_html_(self):\n",
        "        return '<p>\\n</p>'\n",
        "    def __repr__(self):\n",
        "        return 'Show'\n",
    ]
    notebook.write_text(json.dumps(given), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(EXECUTE), str(notebook)])
    assert execute.main() == 0
    code = [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [1, 2, 3]
    assert code[0]["outputs"] == [
        {"name": "stdout", "output_type": "stream", "text": ["one\n"]},
        {"data": {"text/plain": ["1"]}, "execution_count": 1, "metadata": {}, "output_type": "execute_result"},
    ]
    assert code[1]["outputs"] == []
    assert code[2]["outputs"][0]["data"] == {"text/html": ["<p>\n", "</p>"], "text/plain": ["Show"]}
    given["cells"][3]["source"] = ["1 / 0"]
    notebook.write_text(json.dumps(given), encoding="utf-8")
    before = notebook.read_bytes()
    assert execute.main() == 1
    assert notebook.read_bytes() == before
