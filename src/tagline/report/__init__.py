"""The report of a run: `report.html`, self-contained, for screen, phone and print."""

from tagline.report.report import write_report

__all__ = ["write_report"]
