"""The HTTP service: a model behind FastAPI, and the page that people see."""
