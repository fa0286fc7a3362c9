"""Sixteen categories of procedurally drawn objects: stimuli that need no download."""

from metamerlib.stimuli.objects16.world import VARIANTS, draw, drawings_batch, objects16

__all__ = ["VARIANTS", "draw", "drawings_batch", "objects16"]
