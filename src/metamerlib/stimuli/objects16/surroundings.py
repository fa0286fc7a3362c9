"""Colours, 1/f noise and the last step from polygons to pixels."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from metamerlib.stimuli.objects16.pen import ROLES

_LUMINANCE = np.array([0.299, 0.587, 0.114])
_BASE = 31  # highest frequency, in cycles per image, that every size from 64 pixels on shares


@dataclass(frozen=True)
class Palette:
    """Colours of one image, RGB in [0, 1]: one row per role of the object, and the background's mean."""

    roles: np.ndarray
    background: np.ndarray

    @classmethod
    def random(cls, generator: np.random.Generator) -> "Palette":
        """Draw colours whose luminances set parts and background apart."""
        # Luminance is drawn first, by rejection, then hue and saturation freely for each colour, so that no role has a
        # colour of its own. Half of the palettes are turned over (dark for light): on average over images every role
        # and the background are mid-grey.
        while True:
            main, second, ink, paper, ground = generator.random((5, 64))
            main, second, ground = 0.28 + 0.44 * main, 0.12 + 0.76 * second, 0.1 + 0.8 * ground
            ink, paper = 0.02 + (main - 0.24) * ink, 0.98 - (0.74 - main) * paper
            apart = (np.abs(main - ground) > 0.25) & (np.abs(second - main) > 0.14)
            for part in (second, ink, paper):
                apart &= np.abs(part - ground) > 0.12
            if apart.any():
                break
        luminance = np.stack([main, second, ink, paper, ground], axis=1)[apart.argmax()]
        if generator.random() < 0.5:
            luminance = 1.0 - luminance
        chroma = generator.normal(size=(5, 3))
        chroma -= (chroma @ _LUMINANCE)[:, None]
        reach = np.where(chroma > 0, 1.0 - luminance[:, None], luminance[:, None]) / np.abs(chroma)
        strength = np.sqrt(generator.random((5, 1)))
        colours = luminance[:, None] + strength * reach.min(axis=1, keepdims=True) * chroma
        return cls(colours[: len(ROLES)], colours[-1])


@lru_cache(maxsize=8)
def _log_frequency(highest: int) -> np.ndarray:
    """Logarithm of the radial frequency (cycles per image) for rows -highest..highest, columns 0..highest."""
    rows, columns = np.arange(-highest, highest + 1), np.arange(highest + 1)
    radius = np.hypot(rows[:, None], columns[None])
    radius[highest, 0] = 1.0
    logarithm = np.log(radius)
    logarithm[highest, 0] = np.inf  # no constant term: the noise has mean zero
    return logarithm


@dataclass(frozen=True)
class Noise:
    """Four planes of 1/f noise: three for the background's colours, one for the object's texture.

    The coefficients up to 31 cycles per image are drawn first and scaled by the power they carry, so an image
    has the same clouds at every size; finer ones come on top at sizes above 64 pixels.
    """

    exponents: tuple[float, float]
    shared: float
    contrast: np.ndarray
    texture: float

    @classmethod
    def random(cls, generator: np.random.Generator) -> "Noise":
        """Draw the spectrum's exponents, the colour contrast and the texture's strength."""
        exponents = (generator.uniform(0.9, 1.8), generator.uniform(0.7, 1.4))
        return cls(exponents, generator.random(), generator.uniform(0.03, 0.12, 3), generator.uniform(0.01, 0.06))

    def planes(self, generator: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the background's noise, (size, size, 3), and the object's texture, (size, size)."""
        highest = (size - 1) // 2
        unit = generator.standard_normal((4, 2 * _BASE + 1, _BASE + 1, 2))
        shape = (4, 2 * highest + 1, highest + 1)
        if highest > _BASE:
            fine, edge = generator.standard_normal((*shape, 2)), highest - _BASE
            fine[:, edge:-edge, : _BASE + 1] = unit
            unit = fine
        elif highest < _BASE:
            edge = _BASE - highest
            unit = unit[:, edge:-edge, : highest + 1]
        spectrum = np.ascontiguousarray(unit).view(np.complex128)[..., 0]
        scale = np.empty(shape)
        for planes, exponent in ((slice(0, 3), self.exponents[0]), (slice(3, 4), self.exponents[1])):
            power = np.exp(-2.0 * exponent * _log_frequency(_BASE))
            # A column above zero stands for its mirror image too, hence four times its power.
            deviation = np.sqrt(4.0 * power[:, 1:].sum() + power[:, 0].sum())
            scale[planes] = np.exp(-exponent * _log_frequency(highest)) / deviation
        grid = np.zeros((4, size, size // 2 + 1), complex)
        grid[:, np.arange(-highest, highest + 1), : highest + 1] = spectrum * scale
        clouds = np.fft.irfft2(grid, s=(size, size), norm="forward")
        colours = np.sqrt(1.0 - self.shared) * clouds[:3] + np.sqrt(self.shared) * clouds[0]
        return np.moveaxis(colours, 0, -1) * self.contrast, clouds[3] * self.texture


def paint(polygons: list[np.ndarray], roles: list[int], palette: Palette, size: int) -> np.ndarray:
    """Rasterise polygons in the unit square, back to front: RGBA in [0, 1], colours not multiplied by the coverage."""
    factor = min(4, max(2, 512 // size))
    canvas = Image.new("RGBA", (size * factor, size * factor), (0, 0, 0, 0))
    fill = ImageDraw.Draw(canvas)
    inks = [(*(round(255 * channel) for channel in colour), 255) for colour in palette.roles.tolist()]
    for points, role in zip(polygons, roles, strict=True):
        fill.polygon((points * (size * factor) - 0.5).ravel().tolist(), fill=inks[role])
    return np.asarray(canvas.reduce(factor)) / 255.0
