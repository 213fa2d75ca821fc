"""A module with an entry is in its registry; helpers are not."""

import sys
from pathlib import Path

import pytest

from tagline.registry import load_entries


def test_modules_without_an_entry_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "made_up_entries"
    package.mkdir()
    for name, text in {"__init__": "", "b": "ENTRY = 2", "a": "ENTRY = 1", "helper": "x = 3"}.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_entries("made_up_entries", "ENTRY") == [1, 2]
    for name in [name for name in sys.modules if name.startswith("made_up_entries")]:
        monkeypatch.delitem(sys.modules, name)
