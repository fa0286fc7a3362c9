"""Metamers: images that a network, or several at once, respond to as they respond to a reference."""

from metamerlib.generation.checkpoint import CorruptFileError
from metamerlib.generation.config import GenerationConfig
from metamerlib.generation.diagnosis import UnusableModelError
from metamerlib.generation.generate import generate_metamers
from metamerlib.generation.metamers import Metamers

__all__ = ["CorruptFileError", "GenerationConfig", "Metamers", "UnusableModelError", "generate_metamers"]
