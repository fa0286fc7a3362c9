"""The names of `metamerlib.models.device`, for modules not yet moved to it."""

from metamerlib.models.device import is_out_of_memory, naming_batch_size

__all__ = ["is_out_of_memory", "naming_batch_size"]
