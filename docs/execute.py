"""Run the Python code of the pages in docs/learn/ and of the notebooks in examples/, and write its output into them.

::

    python docs/execute.py                            # all pages: rewrites their outputs and plots
    python docs/execute.py docs/learn/padding.md      # one page
    python docs/execute.py examples/*.ipynb           # notebooks
    python docs/execute.py --check                    # on fewer rows and seeds; writes nothing, exits with 1 on failure

The ``python`` blocks of a page run in order, in one namespace and in an empty folder. The output of a block becomes the
``text`` block that follows it. SVG files under ``plots/`` that the page shows are copied next to the page.

The cells of a notebook run in the same way; what the last line of a cell gives is shown as Jupyter shows it.
"""

import argparse
import ast
import contextlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tagline

if TYPE_CHECKING:
    from tagline.data import Dataset, Split
    from tagline.experiments import Sweep, SweepSettings

LEARN = Path(__file__).parent / "learn"
# A block of Python code and, separated by blank lines only, the text block with its output.
_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?P<output>\n*```text\n.*?^```\n)?", re.DOTALL | re.MULTILINE)


def execute(page: str, name: str) -> str:
    """Return the text of a page with the current output of its code; tracebacks show ``name``."""
    namespace = {"__name__": "__main__"}
    parts, end = [], 0
    for block in _BLOCK.finditer(page):
        # Leading blank lines give tracebacks the line numbers of the page.
        code = "\n" * page.count("\n", 0, block.start("code")) + block["code"]
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, name, "exec"), namespace)  # noqa: S102  # pages are part of the repository
        lines = "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())
        output = f"\n```text\n{lines}```\n" if lines else ""
        parts += [page[end : block.start()], f"```python\n{block['code']}```\n", output]
        end = block.end()
    return "".join([*parts, page[end:]])


def execute_notebook(notebook: str, name: str) -> str:
    """Return the JSON of a notebook with the current outputs of its cells; tracebacks show ``name``."""
    content = json.loads(notebook)
    namespace = {"__name__": "__main__"}
    cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells, 1):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            value = _run_cell("".join(cell["source"]), f"{name}, cell {number}", namespace)
        cell["execution_count"] = number
        cell["outputs"] = []
        if printed.getvalue():
            text = printed.getvalue().splitlines(keepends=True)
            cell["outputs"].append({"name": "stdout", "output_type": "stream", "text": text})
        if value is not None:
            cell["outputs"].append(
                {"data": _shown(value), "execution_count": number, "metadata": {}, "output_type": "execute_result"}
            )
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _run_cell(source: str, name: str, namespace: dict[str, Any]) -> Any:
    """Run a cell and return the value of its last line, if that is an expression."""
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)  # noqa: S102  # notebooks are part of the repository
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), name, "eval"), namespace)  # noqa: S307  # as above


def _shown(value: Any) -> dict[str, list[str]]:
    """Return what a notebook shows of a value, by media type."""
    kinds = {"text/html": "_repr_html_", "image/svg+xml": "_repr_svg_"}
    found = {kind: getattr(value, method)() for kind, method in kinds.items() if hasattr(value, method)}
    data = {kind: text for kind, text in found.items() if text is not None} | {"text/plain": repr(value)}
    return {kind: text.splitlines(keepends=True) for kind, text in data.items()}


@contextlib.contextmanager
def empty_folder() -> Iterator[Path]:
    """Work in a temporary empty folder."""
    previous = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(previous)


@contextlib.contextmanager
def reduced() -> Iterator[None]:
    """Let pages and sweeps read about 1,000 training rows and 1,250 others of each split, and sweeps use one seed."""
    from tagline.experiments.sweep import run as sweep  # importing it takes a second
    from tagline.keras_datasets import imdb

    sweep_all = sweep.run_sweep

    def fewer_rows(read: "Callable[..., Dataset]") -> "Callable[..., Dataset]":
        def read_fewer(*arguments: Any, **options: Any) -> "Dataset":
            data = read(*arguments, **options)
            return replace(
                data,
                train=_thinned(data.train, 1000),
                validation=_thinned(data.validation, 1250),
                test=_thinned(data.test, 1250),
            )

        return read_fewer

    def fewer_ids(load: Callable[..., Any]) -> Callable[..., Any]:
        def load_fewer(*arguments: Any, **options: Any) -> Any:
            (x, y), (x_test, y_test) = load(*arguments, **options)
            step, test_step = max(1, len(y) // 1000), max(1, len(y_test) // 1250)
            return (x[::step], y[::step]), (x_test[::test_step], y_test[::test_step])

        return load_fewer

    def sweep_one_seed(data: Any, settings: "SweepSettings", **options: Any) -> "Sweep":
        return sweep_all(data, replace(settings, seeds=1), **options)

    replaced = [
        (tagline, "load_dataset", fewer_rows(tagline.load_dataset)),
        (sweep, "read_dataset", fewer_rows(sweep.read_dataset)),
        (sweep, "run_sweep", sweep_one_seed),
        (imdb, "load_data", fewer_ids(imdb.load_data)),
    ]
    originals = [getattr(module, name) for module, name, _ in replaced]
    for module, name, function in replaced:
        setattr(module, name, function)
    try:
        yield
    finally:
        for (module, name, _), original in zip(replaced, originals, strict=True):
            setattr(module, name, original)


def _thinned(split: "Split | None", n: int) -> "Split | None":
    if split is None:
        return None
    step = max(1, len(split.labels) // n)
    return replace(split, texts=split.texts[::step], labels=split.labels[::step])


def run_page(path: Path, *, check: bool) -> bool:
    """Run the code of a page and, unless ``check``, write its output; return whether the code succeeded."""
    path = path.resolve()
    page = path.read_text(encoding="utf-8")
    with empty_folder() as folder, reduced() if check else contextlib.nullcontext():
        try:
            executed = (execute_notebook if path.suffix == ".ipynb" else execute)(page, str(path))
        except (Exception, SystemExit):  # noqa: BLE001  # code of a page can raise anything; continue with the next page
            traceback.print_exc()
            return False
        if not check:
            for plot in (folder / "plots").rglob("*.svg"):
                name = plot.relative_to(folder).as_posix()
                if f"]({name})" in page:
                    (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(plot, path.parent / name)
            if executed != page:
                path.write_text(executed, encoding="utf-8")
    return True


def main() -> int:
    """Run the given pages; return 1 if the code of any fails."""
    parser = argparse.ArgumentParser(description="Run the Python code of the pages in docs/learn/, or of notebooks.")
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE", help="default: all of docs/learn/")
    parser.add_argument("--check", action="store_true", help="write nothing, only report pages whose code fails")
    arguments = parser.parse_args()
    pages = arguments.pages or sorted(LEARN.glob("*.md"))
    missing = [str(page) for page in pages if not page.is_file()]
    if missing:
        parser.error(f"Page `{missing[0]}` does not exist. Give the path of a Markdown file or of a notebook.")
    failed = []
    for page in pages:
        print(f"{page} ...", file=sys.stderr)
        if not run_page(page, check=arguments.check):
            failed.append(page)
    for page in failed:
        print(f"error: the code of `{page}` failed.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
