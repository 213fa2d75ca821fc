"""One HTML file that classifies and explains offline, with the model and its scripts inside."""

from tagline.export.html.export import PageExport, export_page

__all__ = ["PageExport", "export_page"]
