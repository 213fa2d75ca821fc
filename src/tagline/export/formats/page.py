"""``tagline export --format page``: one HTML file with the model inside."""

from dataclasses import asdict

from tagline.export.base import Exported, ExportFormat, ExportRequest


def _export(request: ExportRequest) -> Exported:
    from tagline.data.wording import counted
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
    sentences = made.card
    if made.n_examples:
        sentences += (
            f"The page shows {counted(made.n_examples, 'text')} of the test rows as examples; that of a run trained "
            "with `--no-texts` shows none.",
        )
    return Exported(made.path, made.bytes, sentences, facts | {"path": str(made.path)})


FORMAT = ExportFormat("page", "one HTML file that works offline", "page", _export)
