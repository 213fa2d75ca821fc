"""The pages of the documentation, and the blocks of code in them."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(f for d in ("docs", "examples", "benchmarks") for f in (ROOT / d).rglob("*.md"))])
EXECUTE = ROOT / "docs" / "execute.py"
LEARN = sorted((ROOT / "docs" / "learn").glob("*.md"))  # docs/execute.py runs their Python code
WITH_EXAMPLES = [
    page for page in PAGES if page.name != "architecture.md"
]  # architecture.md shows signatures, not code to run


def identify(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[str]:
    """Return the fenced blocks of a page in the given languages."""
    found = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [body for language, body in found if language in languages]


def execute_module() -> ModuleType:
    """Return docs/execute.py as a new module."""
    spec = spec_from_file_location("execute", EXECUTE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
