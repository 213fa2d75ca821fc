"""The HTTP service: models behind FastAPI, and the web page."""
