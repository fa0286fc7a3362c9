"""Metamers of neural networks: make them for one network or an ensemble, and measure them.

The names below are loaded when they are first used, so that `import metamerlib` need not wait for torch.
"""

from importlib import import_module

__version__ = "0.1.0"

_NAMES = {
    "stimuli": ("CATEGORIES", "StimulusSet", "load_stimuli"),
    "models": ("Classifier", "ModelZoo", "load_robustbench"),
    "generation": ("GenerationConfig", "Metamers", "generate_metamers"),
    "evaluation": (
        "METRICS",
        "Backbone",
        "adversarial_examples",
        "difference_in_means",
        "distance_correlation",
        "draw_model_sets",
        "measure_images",
        "metamer_success",
        "pair_distances",
        "recognizability",
        "representational_divergence",
    ),
}
_PACKAGE_OF = {name: package for package, names in _NAMES.items() for name in names}

__all__ = ["__version__"]
__all__ += [*_NAMES, *_PACKAGE_OF]


def __getattr__(name: str) -> object:
    if name in _NAMES:
        return import_module(f"metamerlib.{name}")
    if name not in _PACKAGE_OF:
        raise AttributeError(f"module 'metamerlib' has no attribute {name!r}")
    value = getattr(import_module(f"metamerlib.{_PACKAGE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
