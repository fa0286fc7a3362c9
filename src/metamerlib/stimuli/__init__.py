"""Stimuli: the sixteen categories, the drawn world, folders of photographs, ImageNet's."""

from metamerlib import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "categories": ("CATEGORIES", "SYNSETS"),
        "folders": ("UnreadableImagesError", "UnreadableImagesWarning"),
        "imagenet16": ("holds_validation_images",),
        "loading": ("load_stimuli",),
        "stimulus_set": ("StimulusSet", "UnreadableImage"),
    },
)
