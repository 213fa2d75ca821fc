"""Tests of compiled code are collected where it is there."""

from tagline.compiled import COMPILED

collect_ignore = [] if COMPILED else ["test_log_loss.py"]
