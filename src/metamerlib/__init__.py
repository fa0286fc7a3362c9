"""Metamers of neural networks: make them for one network or an ensemble, and measure them."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__version__ = "0.1.0"


def lazy(
    package: str, names: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Make `__getattr__`, `__dir__` and `__all__` of a package that loads a module's names when one is first used."""
    module_of = {name: module for module, found in names.items() for name in found}

    def load(name: str) -> object:
        if name not in names and name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = import_module(f"{package}.{module_of.get(name, name)}")
        if name in module_of:
            value = getattr(value, name)
        setattr(sys.modules[package], name, value)
        return value

    public = sorted(module_of)
    return load, lambda: public, public


# So that `import metamerlib` need not wait for torch.
__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
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
    },
)
