"""What all tests share."""

import os

from hypothesis import settings

# Keras, which judges the networks, runs on torch; it asks when it is first imported.
os.environ.setdefault("KERAS_BACKEND", "torch")

# A busy machine is no failure.
settings.register_profile("tagline", deadline=None)
settings.load_profile("tagline")
