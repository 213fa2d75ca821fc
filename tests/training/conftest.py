"""Keras is the judge of training: on PyTorch, with a home of its own, chosen before anything imports it."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("KERAS_HOME", str(Path(tempfile.gettempdir()) / "tagline-keras"))
