"""``tagline export --format page``: one HTML file with the model inside."""

from dataclasses import asdict

from tagline.export.base import Exported, ExportFormat, ExportRequest


def _export(request: ExportRequest) -> Exported:
    from tagline.export.html import export_page
    from tagline.run_folder import model_folder

    made = export_page(
        model_folder(request.model_path),
        request.target,
        replay=request.replay,
        title=request.title,
        progress=request.progress,
    )
    facts = {"parity" if name == "verification" else name: value for name, value in asdict(made).items()}
    return Exported(made.path, made.bytes, made.card, facts | {"path": str(made.path)})


FORMAT = ExportFormat("page", "one HTML file that works offline", "page", _export)
