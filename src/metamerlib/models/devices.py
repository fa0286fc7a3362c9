"""The names of `metamerlib.models.device`, for modules not yet moved to it."""

from metamerlib.models.device import default_memory, models_on, resolve_device

__all__ = ["default_memory", "models_on", "resolve_device"]
