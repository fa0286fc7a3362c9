"""Networks: the wrapper that every other package talks to, the zoo, and its training."""

from metamerlib import lazy

# A Classifier needs neither timm nor pandas.
__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "classifier": ("Classifier",),
        "downloads": ("DownloadError", "WeightFile", "fetch"),
        "registry": ("EXTRA_INSTANCES", "MODEL_SETS", "ZOO", "ZooEntry"),
        "stages": ("STAGES", "Stage"),
        "weights": ("CorruptWeightsError", "MissingWeightsError"),
        "zoo": ("ModelZoo", "load_robustbench"),
    },
)
