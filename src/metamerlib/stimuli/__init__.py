"""Stimuli: the sixteen categories, the drawn world, folders of photographs, ImageNet's."""

from metamerlib.stimuli.categories import CATEGORIES, SYNSETS
from metamerlib.stimuli.folders import UnreadableImagesError, UnreadableImagesWarning
from metamerlib.stimuli.imagenet16 import holds_validation_images
from metamerlib.stimuli.loading import load_stimuli
from metamerlib.stimuli.stimulus_set import StimulusSet, UnreadableImage

__all__ = [
    "CATEGORIES",
    "SYNSETS",
    "StimulusSet",
    "UnreadableImage",
    "UnreadableImagesError",
    "UnreadableImagesWarning",
    "holds_validation_images",
    "load_stimuli",
]
