"""Whether the compiled extensions are there; without them tagline takes its NumPy path.

A saved model answers the same on both paths. Models trained on them differ slightly, because the solvers of linear
models stop at slightly different objectives. The extensions are missing where no C compiler was found during the
installation. ``TAGLINE_COMPILED=0`` in the environment turns them off, to compare the two.
"""

import os
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

#: The extensions that have a source, below this folder.
EXTENSIONS = (
    "calibration/_log_loss",
    *(
        f"features/_core/{name}"
        for name in (
            "arrow",
            "block",
            "composition",
            "index",
            "ngrams",
            "pieces",
            "rows",
            "scorer",
            "token_table",
            "tokens",
            "vocabulary",
            "weights",
        )
    ),
    "models/linear/_products",
    "models/linear/_solvers",
    "models/label_tree/_search",
    *(f"models/network/_core/{name}" for name in ("blas", "inputs", "steps")),
)


def _is_built() -> bool:
    """Return whether all extensions are there, and the one that they share can be loaded."""
    folder = Path(__file__).parent
    if not all(any((folder / f"{name}{suffix}").is_file() for suffix in EXTENSION_SUFFIXES) for name in EXTENSIONS):
        return False
    try:
        import_module("tagline._memoryviews")
    except ImportError:  # missing, or built for another system that shares this folder
        return False
    return True


_BUILT = _is_built()

COMPILED = _BUILT and os.environ.get("TAGLINE_COMPILED") != "0"

#: What users are told once where they are missing.
MISSING = (
    None
    if _BUILT
    else "tagline runs without its compiled extensions: it works, but several times more slowly. Install a C compiler "
    "(`apt-get install gcc`), then tagline again (`pip install --force-reinstall --no-deps --no-cache-dir .`)."
)
