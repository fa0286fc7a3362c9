"""Networks: the wrapper that every other package talks to, the zoo, and its training.

The names below are loaded when they are first used: a Classifier needs neither timm nor pandas.
"""

from importlib import import_module

_NAMES = {
    "classifier": ("Classifier",),
    "downloads": ("DownloadError", "WeightFile", "fetch"),
    "registry": ("EXTRA_INSTANCES", "MODEL_SETS", "ZOO", "ZooEntry"),
    "stages": ("STAGES", "Stage"),
    "weights": ("CorruptWeightsError", "MissingWeightsError"),
    "zoo": ("ModelZoo", "load_robustbench"),
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'metamerlib.models' has no attribute {name!r}")
    value = getattr(import_module(f"metamerlib.models.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
