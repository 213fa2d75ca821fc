"""A model in other forms: ONNX, and one offline page; each proven to give the same answers."""
