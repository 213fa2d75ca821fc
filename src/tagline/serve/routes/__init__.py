"""The endpoints of the service, one module each: path, schemas, description, error codes and handler."""

from tagline.serve.route import Route
from tagline.serve.routes import explain, health, metrics, models, page, predict, predict_file

ROUTES: list[Route] = [
    *predict.ROUTES,
    *explain.ROUTES,
    *predict_file.ROUTES,
    *models.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
    *page.ROUTES,
]
