"""Exports of a model: ONNX and an offline page, each verified to give the predictions of the model."""
