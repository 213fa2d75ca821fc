"""Figures of process and machine."""

from tagline.runs.environment import peak_rss_mb, process_seconds


def test_process_figures():
    assert 0 < process_seconds() < 36_000
    assert peak_rss_mb() > 10
