"""Whether the compiled extensions are there; without them tagline takes its NumPy path, with the same results.

They are missing where no C compiler was found during the installation. ``TAGLINE_COMPILED=0`` in the environment turns
them off, to compare the two.
"""

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "features" / "_core"

_BUILT = any(path.suffix in {".so", ".pyd"} for path in _FOLDER.glob("ngrams.*"))  # all are, or none (see setup.py)

COMPILED = _BUILT and os.environ.get("TAGLINE_COMPILED") != "0"

#: What users are told once where they are missing.
MISSING = (
    None
    if _BUILT
    else "tagline was installed without a C compiler: it works, but several times more slowly. Install one (`apt-get "
    "install gcc`), then tagline again (`pip install --force-reinstall --no-deps`)."
)
