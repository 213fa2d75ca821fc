"""Whether the compiled extensions are there; without them tagline takes its NumPy path, with the same results.

They are missing where no C compiler was found during the installation. ``TAGLINE_COMPILED=0`` in the environment turns
them off, to compare the two.
"""

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "features" / "_core"

#: All of them are built, or none (see setup.py).
COMPILED = os.environ.get("TAGLINE_COMPILED") != "0" and any(
    path.suffix in {".so", ".pyd"} for path in _FOLDER.glob("ngrams.*")
)
