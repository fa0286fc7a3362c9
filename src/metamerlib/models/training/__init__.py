"""Training of the miniature zoo."""

from metamerlib.models.training.recipes import RECIPES, Recipe
from metamerlib.models.training.zoo import train_zoo

__all__ = ["RECIPES", "Recipe", "train_zoo"]
