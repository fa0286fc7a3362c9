"""Metamers of neural networks: make them for one network or an ensemble, and measure them.

The names below are loaded when they are first used, so that `metamerlib --help` need not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metamerlib.evaluation import recognizability
    from metamerlib.generation import GenerationConfig, Metamers, generate_metamers
    from metamerlib.models import Classifier, ModelZoo
    from metamerlib.stimuli import CATEGORIES, StimulusSet, load_stimuli

__version__ = "0.1.0"

_ROOM_OF = {
    "CATEGORIES": "stimuli",
    "StimulusSet": "stimuli",
    "load_stimuli": "stimuli",
    "Classifier": "models",
    "ModelZoo": "models",
    "GenerationConfig": "generation",
    "Metamers": "generation",
    "generate_metamers": "generation",
    "recognizability": "evaluation",
}

__all__ = [  # noqa: RUF022 - in the order of the rooms
    "CATEGORIES",
    "StimulusSet",
    "load_stimuli",
    "Classifier",
    "ModelZoo",
    "GenerationConfig",
    "Metamers",
    "generate_metamers",
    "recognizability",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'metamerlib' has no attribute {name!r}")
    value = getattr(import_module(f"metamerlib.{_ROOM_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
