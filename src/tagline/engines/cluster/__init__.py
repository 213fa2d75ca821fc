"""The engine of a Ray cluster."""

from tagline.engines.cluster.engine import RayEngine, ray_engine

__all__ = ["RayEngine", "ray_engine"]
