"""A pen that writes down coloured polygons in the unit square.

The drawings of :mod:`metamerlib.stimuli.objects16` are vector drawings: every part becomes one polygon with a
palette role. Nothing is rasterised here, so a drawing is the same at every image size.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

#: Palette roles. Ink and paper lie on opposite sides of the main colour in luminance, so a detail in either
#: shows on the body, and one on top of the other shows as well.
MAIN, SECOND, INK, PAPER = ROLES = range(4)

Point = tuple[float, float]

_TURN = np.linspace(0.0, 2.0 * np.pi, 28, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)
_HALF_TURN = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 7)
_HALF_CIRCLE = np.stack([np.cos(_HALF_TURN), np.sin(_HALF_TURN)], axis=1)

_T = np.arange(6)[:, None] / 6.0
_CATMULL_ROM = 0.5 * np.concatenate(
    [-_T + 2 * _T**2 - _T**3, 2 - 5 * _T**2 + 3 * _T**3, _T + 4 * _T**2 - 3 * _T**3, -(_T**2) + _T**3], axis=1
)


class Pen:
    """Collect the polygons of one drawing, back to front.

    Coordinates are (x, y) in the unit square, y pointing down, angles in degrees, clockwise on the page.

    Parameters
    ----------
    generator
        Source of the drawing's random proportions.
    """

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self.polygons: list[np.ndarray] = []
        self.roles: list[int] = []

    def u(self, low: float, high: float) -> float:
        """Draw a proportion uniformly between two bounds."""
        return low + (high - low) * self._generator.random()

    def chance(self, probability: float) -> bool:
        """Say yes with a given probability."""
        return self._generator.random() < probability

    def path(self, role: int, points: np.ndarray) -> None:
        """Fill the polygon with the given vertices, an (n, 2) array."""
        self.roles.append(role)
        self.polygons.append(points)

    def poly(self, role: int, *points: Point) -> None:
        """Fill a polygon given by its corners."""
        self.path(role, np.array(points))

    def rect(self, role: int, x0: float, y0: float, x1: float, y1: float) -> None:
        """Fill an upright rectangle."""
        self.path(role, np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]))

    def box(self, role: int, x0: float, y0: float, x1: float, y1: float, radius: float) -> None:
        """Fill an upright rectangle with round corners."""
        centres = np.array([(x1 - radius, y1 - radius), (x0 + radius, y1 - radius)])
        centres = np.concatenate([centres, [(x0 + radius, y0 + radius), (x1 - radius, y0 + radius)]])
        self.path(role, np.repeat(centres, 7, axis=0) + radius * _CIRCLE)

    def ellipse(self, role: int, x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> None:
        """Fill an ellipse with half axes rx and ry, turned by an angle."""
        points = _CIRCLE * (rx, ry)
        if angle:
            cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
            points = points @ np.array([[cos, sin], [-sin, cos]])
        self.path(role, points + np.array((x, y)))

    def disk(self, role: int, x: float, y: float, radius: float) -> None:
        """Fill a disk."""
        self.path(role, radius * _CIRCLE + (x, y))

    def arc(self, role: int, x: float, y: float, rx: float, ry: float, start: float, stop: float, width: float) -> None:
        """Draw a band of an ellipse between two angles; its middle line has the half axes rx and ry."""
        turn = np.linspace(np.radians(start), np.radians(stop), 10 + int(abs(stop - start) / 14))
        unit = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        half = 0.5 * width
        outer, inner = unit * (rx + half, ry + half), unit[::-1] * (rx - half, ry - half)
        self.path(role, np.concatenate([outer, inner]) + np.array((x, y)))

    def ring(self, role: int, x: float, y: float, radius: float, width: float) -> None:
        """Draw a closed circular band."""
        self.arc(role, x, y, radius, radius, 0.0, 360.0, width)

    def line(
        self, role: int, x0: float, y0: float, x1: float, y1: float, width: float, end: float | None = None
    ) -> None:
        """Draw a straight stroke with round ends, its width running from ``width`` to ``end``."""
        first, last = 0.5 * width, 0.5 * (width if end is None else end)
        length = np.hypot(x1 - x0, y1 - y0)
        cos, sin = (x1 - x0) / length, (y1 - y0) / length
        turn = np.array([[cos, sin], [-sin, cos]])
        tip = (last * _HALF_CIRCLE) @ turn + (x1, y1)
        tail = (-first * _HALF_CIRCLE) @ turn + (x0, y0)
        self.path(role, np.concatenate([tip, tail]))

    def lines(self, role: int, width: float, *points: Point) -> None:
        """Draw a chain of straight strokes."""
        for (x0, y0), (x1, y1) in pairwise(points):
            self.line(role, x0, y0, x1, y1, width)

    def blob(self, role: int, *points: Point) -> None:
        """Fill the closed Catmull-Rom curve through the given points."""
        array = np.array(points)
        index = (np.arange(len(array)) + np.arange(-1, 3)[:, None]) % len(array)
        curve = np.tensordot(_CATMULL_ROM, array[index], axes=1)
        self.path(role, curve.transpose(1, 0, 2).reshape(-1, 2))

    def stroke(self, role: int, width: float, end: float, points: Sequence[Point]) -> None:
        """Draw an open Catmull-Rom curve as a band with round ends, its width running to ``end``."""
        array = np.array([points[0], *points, points[-1]])
        index = np.arange(len(points) - 1) + np.arange(4)[:, None]
        curve = np.tensordot(_CATMULL_ROM, array[index], axes=1).transpose(1, 0, 2).reshape(-1, 2)
        curve = np.concatenate([curve, array[-1:]])
        along = np.gradient(curve, axis=0)
        along /= np.maximum(np.hypot(along[:, :1], along[:, 1:]), 1e-9)
        half = np.linspace(0.5 * width, 0.5 * end, len(curve))[:, None]
        side = half * along[:, ::-1] * (-1.0, 1.0)
        self.path(role, np.concatenate([curve + side, (curve - side)[::-1]]))
        self.disk(role, *points[0], 0.5 * width)
        self.disk(role, *points[-1], 0.5 * end)
