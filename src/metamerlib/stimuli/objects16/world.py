"""The world of sixteen objects: from a category and a seed to images.

The paper's photographs cannot be bundled; these drawings stand in for them. Pose, size, proportions, colours,
texture, lighting and a 1/f background vary at random and independently of the category, so that shape alone
tells one category from another.
"""

from collections.abc import Sequence

import numpy as np
import torch

from metamerlib.checks import whole_number
from metamerlib.stimuli.categories import CATEGORIES
from metamerlib.stimuli.objects16 import craft, furnishings, kitchen, motors, pets, wildlife
from metamerlib.stimuli.objects16.pen import Pen
from metamerlib.stimuli.objects16.surroundings import Noise, Palette, paint
from metamerlib.stimuli.stimulus_set import StimulusSet

_DRAWINGS = {
    "airplane": craft.AIRPLANES,
    "bear": wildlife.BEARS,
    "bicycle": craft.BICYCLES,
    "bird": wildlife.BIRDS,
    "boat": craft.BOATS,
    "bottle": kitchen.BOTTLES,
    "car": motors.CARS,
    "cat": pets.CATS,
    "chair": furnishings.CHAIRS,
    "clock": furnishings.CLOCKS,
    "dog": pets.DOGS,
    "elephant": wildlife.ELEPHANTS,
    "keyboard": furnishings.KEYBOARDS,
    "knife": kitchen.KNIVES,
    "oven": kitchen.OVENS,
    "truck": motors.TRUCKS,
}

#: Names of the drawings of each category.
VARIANTS: dict[str, tuple[str, ...]] = {category: tuple(drawings) for category, drawings in _DRAWINGS.items()}

_SMALLEST, _LARGEST = 32, 256
_EXTENT = 0.95  # longer side of a drawing at scale 1, as a share of the image
_OVERHANG = 0.04  # how far a drawing may reach beyond the image's edge
_LARGEST_WORD = 2**32 - 1  # seeds and counts are single words of a SeedSequence: no two entropies coincide
_TRAINING_STREAM = (0, 1)  # keeps the images of drawings_batch apart from those of objects16


def draw(category: str, generator: np.random.Generator, size: int = 64, *, variant: str | None = None) -> np.ndarray:
    """Draw one object of a category, (size, size, 3) uint8, in the same pose and colours at every size."""
    _check_categories((category,), "category")
    whole_number(size, "size", at_least=_SMALLEST, at_most=_LARGEST)
    names = VARIANTS[category]
    chosen = names[generator.integers(len(names))]
    if variant is not None:
        if variant not in names:
            raise ValueError(f"variant={variant!r} is no drawing of {category!r}; choose one of {', '.join(names)}.")
        chosen = variant
    pen = Pen(generator)
    _DRAWINGS[category][chosen](pen)
    polygons = _pose(pen.polygons, generator)
    palette, noise = Palette.random(generator), Noise.random(generator)
    towards, light = generator.uniform(0.0, 2.0 * np.pi), generator.uniform(0.0, 0.3)
    clouds, texture = noise.planes(generator, size)  # last: how much this draws depends on the size

    painted = paint(polygons, pen.roles, palette, size)
    cover = painted[..., 3:]
    centre = (np.arange(size) + 0.5) / size - 0.5
    shade = light * (np.cos(towards) * centre[None] + np.sin(towards) * centre[:, None]) + texture
    image = (palette.background + clouds) * (1.0 - cover) + (painted[..., :3] + shade[..., None]) * cover
    return np.rint(255.0 * np.clip(image, 0.0, 1.0)).astype(np.uint8)


def objects16(
    n_per_class: int = 3, seed: int = 0, size: int = 64, categories: Sequence[str] = CATEGORIES
) -> StimulusSet:
    """Draw a set of images, in the order of the categories; labels index into those."""
    # Image number i of a category depends only on the seed, the category and i: a larger set extends a smaller one, and
    # a set of fewer categories is a part of the whole.
    categories = tuple(categories)
    _check_categories(categories, "categories")
    whole_number(size, "size", at_least=_SMALLEST, at_most=_LARGEST)
    whole_number(seed, "seed", at_most=_LARGEST_WORD)
    whole_number(n_per_class, "n_per_class", at_least=1, at_most=_LARGEST_WORD)
    images = np.empty((len(categories) * n_per_class, size, size, 3), np.uint8)
    sources = []
    for category in categories:
        for i in range(n_per_class):
            entropy = [seed, CATEGORIES.index(category), i]
            images[len(sources)] = draw(category, np.random.default_rng(np.random.SeedSequence(entropy)), size)
            sources.append(f"objects16/seed={seed}/{category}/{i:04d}")
    return StimulusSet(
        images=torch.from_numpy(images).permute(0, 3, 1, 2).to(torch.float32).div_(255.0).contiguous(),
        labels=torch.arange(len(categories)).repeat_interleave(n_per_class),
        categories=categories,
        sources=tuple(sources),
    )


def drawings_batch(seed: int, start: int, n: int, size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Draw a stretch of an endless stream of images for training: (n, size, size, 3) uint8, and labels (n,) int64."""
    # Image j of the stream shows category j % 16 and depends only on the seed and j.
    whole_number(size, "size", at_least=_SMALLEST, at_most=_LARGEST)
    for value, name in ((seed, "seed"), (start, "start"), (n, "n"), (start + n, "start + n")):
        whole_number(value, name, at_most=_LARGEST_WORD)
    images = np.empty((n, size, size, 3), np.uint8)
    labels = np.arange(start, start + n, dtype=np.int64) % len(CATEGORIES)
    for k in range(n):
        sequence = np.random.SeedSequence([seed, start + k, *_TRAINING_STREAM])
        images[k] = draw(CATEGORIES[labels[k]], np.random.default_rng(sequence), size)
    return images, labels


def _pose(polygons: list[np.ndarray], generator: np.random.Generator) -> list[np.ndarray]:
    """Bend, flip, stretch, shear, turn, scale and shift a drawing, all at random, to lie mostly inside."""
    points = np.concatenate(polygons)
    low, high = points.min(axis=0), points.max(axis=0)
    points = (points - 0.5 * (low + high)) / (high - low).max()
    bend, phase = generator.uniform(0.0, 0.02, 2), generator.uniform(0.0, 2.0 * np.pi, 2)
    points = points + bend * np.sin(2.0 * np.pi * points[:, ::-1] + phase)

    scale, aspect = generator.uniform(0.6, 1.05), generator.uniform(0.85, 1.15)
    shear, angle = generator.uniform(-0.12, 0.12), np.radians(generator.uniform(-25.0, 25.0))
    flip = -1.0 if generator.random() < 0.5 else 1.0
    stretch = _EXTENT * scale * np.array([[flip * np.sqrt(aspect), 0.0], [0.0, 1.0 / np.sqrt(aspect)]])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = points @ stretch @ np.array([[1.0, 0.0], [shear, 1.0]]) @ turn

    low, high = points.min(axis=0), points.max(axis=0)
    points -= 0.5 * (low + high)
    room = np.maximum(0.0, 0.5 + _OVERHANG - 0.5 * (high - low))
    points += 0.5 + np.clip(generator.uniform(-0.14, 0.14, 2), -room, room)
    return np.split(points, np.cumsum([len(polygon) for polygon in polygons])[:-1])


def _check_categories(categories: tuple[str, ...], name: str) -> None:
    unknown = [category for category in categories if category not in _DRAWINGS]
    if unknown or not categories or len(set(categories)) < len(categories):
        got = unknown or list(categories)
        raise ValueError(f"{name}={got} must name distinct categories out of: {', '.join(_DRAWINGS)}.")
