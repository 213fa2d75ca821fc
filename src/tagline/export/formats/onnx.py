"""``tagline export --format onnx``: an ONNX graph, with a description of the steps before it."""

from tagline.export.base import Exported, ExportFormat, ExportRequest


def _export(request: ExportRequest) -> Exported:
    from tagline.export.onnx import export_onnx

    made = export_onnx(request.model_path, request.target, replay=request.replay, progress=request.progress)
    return Exported(made.path, made.bytes, (made.card["replay"]["sentence"],), made.card)


FORMAT = ExportFormat("onnx", "a folder for any program with an ONNX runtime", "onnx", _export)
