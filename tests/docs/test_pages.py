"""README.md and docs/: links lead to files, commands and options exist, prose is wrapped."""

import re
import shlex
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path

import pytest

from tagline.cli import main
from tests.docs.pages import LEARN, PAGES, ROOT, WITH_EXAMPLES, blocks, identify

PROSE_WIDTH = 100


@cache
def help_of(*command: str) -> str | None:
    """Return the help of a `tagline` command, or None if there is no such command."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as output, redirect_stderr(StringIO()):
        patch.setenv("COLUMNS", "200")  # otherwise long options are truncated
        status = main([*command, "--help"])
    return output.getvalue() if status == 0 else None


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_links_lead_to_files(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_prose_is_wrapped_at_100_characters(page: Path) -> None:
    """Tables, code blocks, and lines that cannot be broken, such as one link or command, may be longer."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    long = [line for line in text.splitlines() if len(line) > PROSE_WIDTH and not line.startswith(("|", "#"))]
    unbreakable = re.compile(r"\s*(?:[*-] )?(?:!?\[[^\]]*\]\(\S+\)|`[^`]+`|\S+)[;.,]?\s*")
    assert not [line for line in long if not unbreakable.fullmatch(line)]


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=identify)
def test_commands_and_options_exist(page: Path) -> None:
    lines = [
        line.removeprefix("$ ")
        for block in blocks(page, "", "sh", "bash", "console", "shell")
        for line in block.replace("\\\n", " ").splitlines()
    ]
    for line in lines:
        if not line.startswith(("tagline ", "make ")):
            continue
        words = shlex.split(re.split(r" [|>] ", line)[0], comments=True)
        if words[0] == "make":
            targets = [word for word in words[1:] if "=" not in word]
            assert all(re.search(rf"^{t}:", (ROOT / "Makefile").read_text(), re.MULTILINE) for t in targets), line
            continue
        command = [word for word in words[1:2] if not word.startswith("-")]
        help_text = help_of(*command)
        assert help_text is not None, f"there is no such command: {line}"
        options = [word.partition("=")[0] for word in words[1:] if word.startswith("--") and word != "--help"]
        assert all(option in help_text for option in options), f"no such option: {line}"


def test_learn_index_links_every_page() -> None:
    index = (ROOT / "docs" / "learn" / "README.md").read_text(encoding="utf-8")
    assert not [page.name for page in LEARN if page.name != "README.md" and f"]({page.name})" not in index]


def test_pages_have_no_placeholders() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    assert not [page.name for page in pages if re.search(r"@[A-Z]+@", page.read_text(encoding="utf-8"))]
