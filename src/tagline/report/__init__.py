"""The report of a run: `report.html`, self-contained, for screen, phone and print."""

from tagline.report.report import compile_templates, write_report

__all__ = ["compile_templates", "write_report"]
