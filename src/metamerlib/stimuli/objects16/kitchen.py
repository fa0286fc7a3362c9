"""Drawings of bottles, knives and ovens."""

import numpy as np

from metamerlib.stimuli.objects16.pen import INK, MAIN, PAPER, SECOND, Pen


def _bottle_wine(p: Pen) -> None:
    w, neck, shoulder = p.u(0.13, 0.17), p.u(0.042, 0.054), p.u(0.36, 0.44)
    p.blob(
        MAIN, (0.5 - neck, 0.06), (0.5 + neck, 0.06), (0.5 + neck, 0.16), (0.5 + neck * 1.1, shoulder - 0.14),
        (0.5 + w * 0.8, shoulder - 0.03), (0.5 + w, shoulder + 0.06), (0.5 + w, 0.7), (0.5 + w, 0.93), (0.5, 0.97),
        (0.5 - w, 0.93), (0.5 - w, 0.7), (0.5 - w, shoulder + 0.06), (0.5 - w * 0.8, shoulder - 0.03),
        (0.5 - neck * 1.1, shoulder - 0.14), (0.5 - neck, 0.16),
    )  # fmt: skip
    p.rect(SECOND, 0.5 - neck * 1.15, 0.03, 0.5 + neck * 1.15, 0.15)
    p.rect(PAPER, 0.5 - w, 0.54, 0.5 + w, p.u(0.76, 0.84))
    p.line(INK, 0.5 - w * 0.6, 0.61, 0.5 + w * 0.6, 0.61, 0.03)
    p.line(INK, 0.5 - w * 0.4, 0.68, 0.5 + w * 0.4, 0.68, 0.02)
    p.line(PAPER, 0.5 - w * 0.65, shoulder + 0.06, 0.5 - w * 0.65, 0.49, 0.025)


def _bottle_plastic(p: Pen) -> None:
    w, waist = p.u(0.15, 0.18), p.u(0.6, 0.85)
    p.rect(MAIN, 0.44, 0.1, 0.56, 0.24)
    p.blob(
        MAIN, (0.44, 0.16), (0.56, 0.16), (0.5 + w * 0.85, 0.27), (0.5 + w, 0.38), (0.5 + w * waist, 0.55),
        (0.5 + w, 0.7), (0.5 + w, 0.84), (0.5 + w * 0.9, 0.96), (0.5, 0.95), (0.5 - w * 0.9, 0.96), (0.5 - w, 0.84),
        (0.5 - w, 0.7), (0.5 - w * waist, 0.55), (0.5 - w, 0.38), (0.5 - w * 0.85, 0.27),
    )  # fmt: skip
    p.box(INK, 0.425, 0.03, 0.575, 0.125, 0.015)
    p.rect(SECOND, 0.42, 0.14, 0.58, 0.165)
    p.rect(SECOND, 0.5 - w * 0.98, 0.36, 0.5 + w * 0.98, 0.5)
    p.line(PAPER, 0.5 - w * 0.6, 0.43, 0.5 + w * 0.6, 0.43, 0.045)
    for y in (0.7, 0.77, 0.84):
        p.line(PAPER, 0.5 - w * 0.75, y, 0.5 + w * 0.75, y, 0.016)


def _bottle_flask(p: Pen) -> None:
    r, neck, long = p.u(0.24, 0.29), p.u(0.045, 0.06), p.u(0.1, 0.18)
    p.rect(SECOND, 0.5 - neck * 0.75, long - 0.09, 0.5 + neck * 0.75, long + 0.02)
    p.poly(MAIN, (0.5 - neck, long), (0.5 + neck, long), (0.5 + neck * 1.5, 0.5), (0.5 - neck * 1.5, 0.5))
    p.blob(
        MAIN, (0.5 - neck * 1.1, 0.38), (0.5 + neck * 1.1, 0.38), (0.5 + r * 0.75, 0.53), (0.5 + r, 0.72),
        (0.5 + r * 0.75, 0.92), (0.5, 0.95), (0.5 - r * 0.75, 0.92), (0.5 - r, 0.72), (0.5 - r * 0.75, 0.53),
    )  # fmt: skip
    p.rect(MAIN, 0.5 - neck * 1.5, long, 0.5 + neck * 1.5, long + 0.045)
    p.ellipse(PAPER, 0.5, 0.73, r * 0.55, r * 0.45)
    p.line(INK, 0.5 - r * 0.3, 0.73, 0.5 + r * 0.3, 0.73, 0.03)
    p.arc(PAPER, 0.5, 0.72, r * 0.8, 0.18, 195, 250, 0.025)


def _knife_chef(p: Pen) -> None:
    deep, split = p.u(0.11, 0.17), p.u(0.56, 0.64)
    p.blob(
        MAIN, (0.0, 0.43), (0.2, 0.4), (split - 0.06, 0.4), (split, 0.4), (split, 0.42), (split, 0.4 + deep * 0.85),
        (split - 0.02, 0.4 + deep), (split - 0.1, 0.4 + deep), (0.3, 0.4 + deep * 0.92), (0.12, 0.4 + deep * 0.6),
    )  # fmt: skip
    p.line(PAPER, 0.06, 0.4 + deep * 0.42, split - 0.04, 0.4 + deep * 0.85, 0.016)
    p.rect(PAPER, split, 0.395, split + 0.04, 0.5)
    p.blob(
        SECOND, (split + 0.04, 0.4), (0.8, 0.39), (0.97, 0.4), (0.98, 0.5), (0.92, 0.52), (0.8, 0.48),
        (split + 0.04, 0.49),
    )  # fmt: skip
    for k in (0.2, 0.5, 0.8):
        p.disk(INK, split + 0.05 + k * (0.94 - split - 0.05), 0.445, 0.016)


def _knife_cleaver(p: Pen) -> None:
    deep, split = p.u(0.22, 0.29), p.u(0.52, 0.6)
    p.blob(
        SECOND, (split - 0.02, 0.345), (0.8, 0.34), (0.95, 0.33), (0.99, 0.37), (0.97, 0.43), (0.8, 0.41),
        (split - 0.02, 0.415),
    )  # fmt: skip
    for k in (0.25, 0.55, 0.85):
        p.disk(INK, split + 0.02 + k * (0.93 - split), 0.378, 0.016)
    p.poly(
        MAIN, (0.02, 0.32), (0.05, 0.3), (split - 0.06, 0.31), (split, 0.33), (split, 0.43), (split - 0.05, 0.46),
        (split - 0.06, 0.3 + deep), (0.2, 0.31 + deep), (0.03, 0.29 + deep),
    )  # fmt: skip
    p.line(PAPER, 0.05, 0.265 + deep, split - 0.08, 0.27 + deep, 0.022)
    p.disk(INK, 0.09, 0.36, 0.026)


def _knife_pocket(p: Pen) -> None:
    turn, length = np.radians(p.u(20.0, 50.0)), p.u(0.5, 0.56)
    cos, sin = np.cos(turn), np.sin(turn)

    def at(along: float, across: float) -> tuple[float, float]:
        return 0.48 - cos * along * length - sin * across, 0.62 - sin * along * length + cos * across

    p.blob(
        MAIN, at(0, -0.065), at(0.5, -0.075), at(0.8, -0.05), at(0.97, 0.0), at(1.02, 0.035), at(0.98, 0.05),
        at(0.8, 0.065), at(0.4, 0.075), at(0, 0.07),
    )  # fmt: skip
    p.poly(INK, at(0.3, -0.045), at(0.68, -0.045), at(0.66, -0.024), at(0.3, -0.02))
    p.box(SECOND, 0.41, 0.53, 0.99, 0.71, 0.085)
    p.line(INK, 0.5, 0.565, 0.91, 0.565, 0.018)
    p.disk(PAPER, 0.485, 0.63, 0.036)
    p.disk(INK, 0.93, 0.63, 0.024)
    if p.chance(0.5):
        p.line(PAPER, 0.65, 0.64, 0.77, 0.64, 0.034)
        p.line(PAPER, 0.71, 0.6, 0.71, 0.68, 0.034)


def _knob_row(p: Pen, x0: float, x1: float, y: float, count: int, radius: float) -> None:
    for k in range(count):
        x = x0 + (x1 - x0) * k / (count - 1)
        p.disk(INK, x, y, radius)
        p.line(PAPER, x, y, x + radius * p.u(-0.7, 0.7), y - radius * 0.7, radius * 0.45)


def _oven_cooker(p: Pen) -> None:
    wide = p.u(0.32, 0.38)
    x0, x1 = 0.5 - wide, 0.5 + wide
    for x in (x0 + 0.16, x1 - 0.16):
        p.rect(INK, x - 0.12, 0.075, x + 0.12, 0.105)
        p.line(INK, x, 0.1, x, 0.14, 0.05)
    p.box(MAIN, x0, 0.12, x1, 0.93, 0.03)
    for x in (x0 + 0.06, x1 - 0.06):
        p.rect(INK, x - 0.04, 0.92, x + 0.04, 0.97)
    _knob_row(p, x0 + 0.1, x1 - 0.1, 0.21, 4 + int(p.u(0, 2)), 0.042)
    p.line(INK, x0, 0.29, x1, 0.29, 0.016)
    p.line(PAPER, x0 + 0.08, 0.355, x1 - 0.08, 0.355, 0.04)
    p.box(INK, x0 + 0.08, 0.42, x1 - 0.08, 0.76, 0.03)
    p.box(SECOND, x0 + 0.12, 0.46, x1 - 0.12, 0.72, 0.02)
    for y in (0.54, 0.63):
        p.line(INK, x0 + 0.13, y, x1 - 0.13, y, 0.014)
    p.line(INK, x0, 0.82, x1, 0.82, 0.014)


def _oven_built_in(p: Pen) -> None:
    tall = p.u(0.16, 0.22)
    p.box(MAIN, 0.03, tall, 0.97, 0.88, 0.03)
    p.rect(SECOND, 0.03, tall + 0.02, 0.97, tall + 0.15)
    p.rect(INK, 0.36, tall + 0.045, 0.64, tall + 0.125)
    for x in (0.4, 0.46, 0.54, 0.6):
        p.rect(PAPER, x - 0.018, tall + 0.06, x + 0.018, tall + 0.11)
    for x in (0.13, 0.25, 0.75, 0.87):
        p.disk(INK, x, tall + 0.085, 0.042)
        p.line(PAPER, x, tall + 0.085, x, tall + 0.055, 0.018)
    p.line(PAPER, 0.12, tall + 0.215, 0.88, tall + 0.215, 0.045)
    p.box(INK, 0.1, tall + 0.27, 0.9, 0.82, 0.03)
    p.line(SECOND, 0.13, 0.74, 0.87, 0.74, 0.03)
    if p.chance(0.6):
        p.ellipse(PAPER, 0.5, 0.655, 0.18, 0.075)
        p.line(PAPER, 0.64, 0.63, 0.74, 0.575, 0.05, 0.03)
        p.disk(PAPER, 0.75, 0.57, 0.028)
    else:
        for x in (0.26, 0.42, 0.58, 0.74):
            p.ellipse(PAPER, x, 0.69, 0.06, 0.045)
    for x in (0.2, 0.28):
        p.line(MAIN, x + 0.06, tall + 0.3, x, tall + 0.4, 0.016)


def _oven_oblique(p: Pen) -> None:
    dx, dy = p.u(0.16, 0.22), p.u(0.12, 0.16)
    x0, x1, y0, y1 = 0.06, 0.72, 0.3, 0.94
    p.poly(SECOND, (x1, y0), (x1 + dx, y0 - dy), (x1 + dx, y1 - dy), (x1, y1))
    p.poly(PAPER, (x0, y0), (x1, y0), (x1 + dx, y0 - dy), (x0 + dx, y0 - dy))
    for a, b in ((0.25, 0.3), (0.72, 0.3), (0.3, 0.72), (0.77, 0.72)):
        p.ellipse(INK, x0 + a * (x1 - x0) + b * dx, y0 - b * dy, 0.09, 0.03)
    if p.chance(0.7):
        px, py = x0 + 0.27 * (x1 - x0) + 0.5 * dx, y0 - 0.5 * dy
        p.line(INK, px + 0.1, py - 0.11, px + 0.26, py - 0.15, 0.035)
        p.rect(MAIN, px - 0.11, py - 0.14, px + 0.11, py)
        p.ellipse(MAIN, px, py, 0.11, 0.03)
        p.ellipse(INK, px, py - 0.14, 0.11, 0.03)
    p.rect(MAIN, x0, y0, x1, y1)
    _knob_row(p, x0 + 0.09, x1 - 0.09, y0 + 0.075, 4, 0.04)
    p.line(INK, x0, y0 + 0.145, x1, y0 + 0.145, 0.014)
    p.line(PAPER, x0 + 0.08, y0 + 0.2, x1 - 0.08, y0 + 0.2, 0.036)
    p.box(INK, x0 + 0.08, y0 + 0.26, x1 - 0.08, y1 - 0.09, 0.03)
    p.line(SECOND, x0 + 0.1, y0 + 0.38, x1 - 0.1, y0 + 0.38, 0.016)
    p.line(SECOND, x0 + 0.1, y0 + 0.47, x1 - 0.1, y0 + 0.47, 0.016)


BOTTLES = {"wine": _bottle_wine, "plastic": _bottle_plastic, "flask": _bottle_flask}
KNIVES = {"chef": _knife_chef, "cleaver": _knife_cleaver, "pocket": _knife_pocket}
OVENS = {"cooker": _oven_cooker, "built_in": _oven_built_in, "oblique": _oven_oblique}
