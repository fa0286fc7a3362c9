"""Drawings of airplanes, boats and bicycles."""

import math

from metamerlib.stimuli.objects16.pen import INK, MAIN, PAPER, SECOND, Pen


def _airplane_above(p: Pen) -> None:
    sweep, span, chord = p.u(0.08, 0.22), p.u(0.4, 0.46), p.u(0.15, 0.2)
    girth = p.u(0.05, 0.065)
    for side in (-1, 1):
        root = 0.5 + side * 0.02
        p.poly(
            MAIN, (0.6, root), (0.6 - sweep, 0.5 + side * span), (0.6 - sweep - chord * 0.45, 0.5 + side * span),
            (0.58 - chord, root),
        )  # fmt: skip
        p.poly(SECOND, (0.2, root), (0.09, 0.5 + side * 0.18), (0.02, 0.5 + side * 0.18), (0.08, root))
        for out in (0.4, 0.68):
            p.ellipse(SECOND, 0.6 - sweep * out + 0.01, 0.5 + side * span * out, 0.06, 0.025)
    p.blob(
        MAIN, (0.03, 0.5), (0.2, 0.5 - girth * 0.7), (0.5, 0.5 - girth), (0.84, 0.5 - girth), (0.97, 0.5),
        (0.84, 0.5 + girth), (0.5, 0.5 + girth), (0.2, 0.5 + girth * 0.7),
    )  # fmt: skip
    p.ellipse(INK, 0.88, 0.5, 0.03, girth * 0.65)
    p.line(SECOND, 0.04, 0.5, 0.2, 0.5, 0.025)


def _airplane_airliner(p: Pen) -> None:
    girth, fin = p.u(0.075, 0.095), p.u(0.2, 0.26)
    p.poly(SECOND, (0.22, 0.48 - girth), (0.04, 0.48 - fin), (0.0, 0.46 - fin), (0.06, 0.48))
    p.poly(MAIN, (0.62, 0.44), (0.5, 0.3), (0.45, 0.3), (0.48, 0.44))
    p.blob(
        MAIN, (0.0, 0.43), (0.1, 0.48 - girth), (0.4, 0.48 - girth), (0.8, 0.48 - girth), (0.92, 0.49 - girth * 0.6),
        (0.99, 0.51), (0.93, 0.48 + girth * 0.9), (0.8, 0.48 + girth), (0.4, 0.48 + girth), (0.18, 0.48 + girth * 0.6),
    )  # fmt: skip
    for k in range(9):
        p.disk(INK, 0.24 + 0.065 * k, 0.46, 0.015)
    p.poly(INK, (0.89, 0.44), (0.935, 0.445), (0.96, 0.485), (0.89, 0.48))
    p.poly(SECOND, (0.15, 0.47), (0.03, 0.55), (-0.02, 0.55), (0.05, 0.46))
    p.box(INK, 0.44, 0.57, 0.56, 0.65, 0.035)
    p.poly(SECOND, (0.62, 0.51), (0.36, p.u(0.74, 0.82)), (0.29, p.u(0.74, 0.82)), (0.43, 0.51))
    if p.chance(0.5):
        p.line(PAPER, 0.06, 0.505, 0.92, 0.525, 0.02)


def _airplane_biplane(p: Pen) -> None:
    chord, gap = p.u(0.15, 0.19), p.u(0.0, 0.05)
    p.lines(MAIN, 0.025, (0.62, 0.6), (0.68, 0.78))
    p.line(MAIN, 0.74, 0.6, 0.68, 0.78, 0.025)
    p.ring(MAIN, 0.68, 0.8, 0.055, 0.04)
    p.line(MAIN, 0.12, 0.54, 0.1, 0.62, 0.025)
    p.blob(SECOND, (0.18, 0.46), (0.1, 0.26), (0.02, 0.27), (0.0, 0.42), (0.06, 0.5))
    p.blob(
        MAIN, (0.02, 0.47), (0.3, 0.43), (0.52, 0.4), (0.76, 0.39), (0.86, 0.44), (0.87, 0.56), (0.78, 0.64),
        (0.56, 0.64), (0.3, 0.57), (0.04, 0.52),
    )  # fmt: skip
    p.line(SECOND, 0.2, 0.48, 0.02, 0.47, 0.035)
    p.box(INK, 0.84, 0.42, 0.91, 0.58, 0.03)
    for x in (0.58, 0.74):
        p.line(MAIN, x + 0.03, 0.26 - gap, x, 0.6, 0.022)
    p.line(SECOND, 0.66 - chord + 0.05, 0.25 - gap, 0.66 + chord + 0.03, 0.25 - gap, 0.055)
    p.line(SECOND, 0.64 - chord, 0.6, 0.64 + chord, 0.6, 0.055)
    p.disk(MAIN, 0.42, 0.36, 0.05)
    p.disk(INK, 0.43, 0.36, 0.028)
    blade = p.u(0.2, 0.26)
    p.ellipse(MAIN, 0.94, 0.5 - blade * 0.5, 0.025, blade * 0.5)
    p.ellipse(MAIN, 0.94, 0.5 + blade * 0.5, 0.025, blade * 0.5)
    p.disk(PAPER, 0.94, 0.5, 0.03)


def _boat_sailing(p: Pen) -> None:
    mast, main, jib = p.u(0.46, 0.52), p.u(0.28, 0.38), p.u(0.2, 0.3)
    p.line(INK, mast, 0.7, mast, 0.03, 0.03)
    p.poly(MAIN, (mast + 0.03, 0.06), (mast + 0.03, 0.64), (mast + 0.03 + main, 0.64))
    p.poly(SECOND, (mast - 0.03, 0.12), (mast - 0.03, 0.64), (mast - 0.03 - jib, 0.64))
    p.poly(PAPER, (mast, 0.0), (mast + 0.12, 0.03), (mast, 0.06))
    p.poly(MAIN, (0.04, 0.7), (0.97, 0.7), (0.86, 0.84), (0.78, 0.88), (0.24, 0.88), (0.14, 0.82))
    p.poly(PAPER, (0.07, 0.74), (0.94, 0.74), (0.92, 0.77), (0.1, 0.77))


def _boat_steamer(p: Pen) -> None:
    funnels, top = (2 if p.chance(0.5) else 3), p.u(0.14, 0.22)
    for k in range(funnels):
        x = 0.36 + (0.32 if funnels == 2 else 0.18) * k
        p.poly(SECOND, (x - 0.03, top), (x + 0.06, top), (x + 0.08, 0.45), (x - 0.02, 0.45))
        p.poly(INK, (x - 0.03, top), (x + 0.06, top), (x + 0.065, top + 0.07), (x - 0.028, top + 0.07))
    p.line(MAIN, 0.14, 0.62, 0.12, 0.26, 0.022)
    p.rect(PAPER, 0.2, 0.52, 0.88, 0.63)
    p.rect(PAPER, 0.28, 0.41, 0.82, 0.52)
    for k in range(6):
        p.rect(INK, 0.32 + 0.08 * k, 0.44, 0.365 + 0.08 * k, 0.49)
    for k in range(7):
        p.rect(INK, 0.25 + 0.085 * k, 0.55, 0.295 + 0.085 * k, 0.595)
    p.poly(MAIN, (0.0, 0.58), (0.1, 0.62), (0.97, 0.62), (0.92, 0.82), (0.88, 0.86), (0.12, 0.86))
    for k in range(7):
        p.disk(PAPER, 0.18 + 0.11 * k, 0.7, 0.02)
    p.poly(SECOND, (0.09, 0.79), (0.93, 0.79), (0.92, 0.82), (0.88, 0.86), (0.12, 0.86))


def _boat_galleon(p: Pen) -> None:
    billow = p.u(0.02, 0.06)
    p.line(MAIN, 0.8, 0.64, 1.0, 0.5, 0.025)
    for x, top, half in ((0.24, 0.16, 0.13), (0.5, 0.04, 0.16), (0.75, 0.16, 0.12)):
        p.line(INK, x, 0.7, x, top - 0.02, 0.026)
        p.poly(SECOND, (x, top - 0.03), (x - 0.1, top), (x, top + 0.02))
        middle = 0.5 * (top + 0.6)
        for y0, y1, w in ((top + 0.05, middle, half * 0.8), (middle + 0.03, 0.6, half)):
            p.blob(
                MAIN, (x - w * 0.9, y0), (x, y0 + 0.01), (x + w * 0.9, y0), (x + w * 0.95 + billow, 0.5 * (y0 + y1)),
                (x + w, y1), (x, y1 - 0.03), (x - w, y1), (x - w * 0.95 + billow, 0.5 * (y0 + y1)),
            )  # fmt: skip
    p.poly(
        SECOND, (0.04, 0.56), (0.2, 0.58), (0.24, 0.68), (0.68, 0.68), (0.74, 0.62), (0.92, 0.6), (0.86, 0.8),
        (0.76, 0.9), (0.2, 0.9), (0.1, 0.82),
    )  # fmt: skip
    p.lines(PAPER, 0.022, (0.08, 0.71), (0.22, 0.74), (0.72, 0.74), (0.88, 0.7))
    for k in range(5):
        p.rect(INK, 0.22 + 0.12 * k, 0.79, 0.27 + 0.12 * k, 0.835)


def _wheel(p: Pen, x: float, y: float, radius: float, width: float, spokes: int) -> None:
    for k in range(spokes):
        cos, sin = math.cos(math.pi * k / spokes), math.sin(math.pi * k / spokes)
        p.line(SECOND, x - radius * cos, y - radius * sin, x + radius * cos, y + radius * sin, 0.01)
    p.ring(MAIN, x, y, radius, width)
    p.disk(MAIN, x, y, 0.028)


def _bicycle_road(p: Pen) -> None:
    radius, w = p.u(0.2, 0.22), p.u(0.034, 0.044)
    back, front, crank, saddle, head = (0.22, 0.66), (0.78, 0.66), (0.46, 0.66), (0.37, 0.34), (0.68, 0.34)
    _wheel(p, *back, radius, 0.038, 4)
    _wheel(p, *front, radius, 0.038, 4)
    p.lines(MAIN, w, back, saddle, head, crank, back)
    p.lines(MAIN, w, saddle, crank)
    p.lines(MAIN, w, (0.35, 0.28), saddle)
    p.lines(MAIN, w, front, head, (0.655, 0.26))
    p.line(INK, 0.27, 0.27, 0.43, 0.27, 0.055, 0.035)
    if p.chance(0.5):
        p.lines(MAIN, w, (0.655, 0.26), (0.74, 0.25))
        p.arc(MAIN, 0.74, 0.305, 0.055, 0.055, -90, 80, w)
    else:
        p.lines(MAIN, w, (0.655, 0.26), (0.6, 0.2))
        p.line(MAIN, 0.6, 0.2, 0.56, 0.21, w * 1.2)
    p.ring(SECOND, *crank, 0.045, 0.03)
    p.line(INK, 0.43, 0.76, 0.49, 0.56, 0.022)
    p.line(INK, 0.39, 0.76, 0.47, 0.76, 0.03)
    p.line(INK, 0.45, 0.56, 0.53, 0.56, 0.03)


def _bicycle_city(p: Pen) -> None:
    radius, w = p.u(0.19, 0.21), p.u(0.036, 0.046)
    back, front, crank = (0.21, 0.68), (0.8, 0.68), (0.46, 0.68)
    _wheel(p, *back, radius, 0.036, 4)
    _wheel(p, *front, radius, 0.036, 4)
    p.arc(SECOND, *back, radius + 0.045, radius + 0.045, 170, 320, 0.028)
    p.arc(SECOND, *front, radius + 0.045, radius + 0.045, 200, 310, 0.028)
    p.stroke(MAIN, w, w, [(0.69, 0.36), (0.62, 0.56), (0.46, 0.66)])
    p.stroke(MAIN, w, w, [(0.7, 0.42), (0.64, 0.62), (0.48, 0.7)])
    p.lines(MAIN, w, crank, (0.36, 0.32))
    p.lines(MAIN, w, back, (0.4, 0.48))
    p.lines(MAIN, w, back, crank)
    p.lines(MAIN, w, front, (0.67, 0.24))
    p.stroke(MAIN, w, w, [(0.67, 0.24), (0.63, 0.2), (0.54, 0.23)])
    p.line(INK, 0.27, 0.3, 0.44, 0.3, 0.07, 0.045)
    p.line(INK, 0.08, 0.43, 0.3, 0.43, 0.03)
    p.poly(SECOND, (0.72, 0.26), (0.96, 0.26), (0.92, 0.42), (0.75, 0.42))
    for x in (0.79, 0.84, 0.89):
        p.line(INK, x, 0.28, x, 0.4, 0.014)
    p.ring(SECOND, *crank, 0.045, 0.03)
    p.line(INK, 0.42, 0.77, 0.5, 0.6, 0.022)


def _bicycle_penny_farthing(p: Pen) -> None:
    radius, small, w = p.u(0.31, 0.35), p.u(0.09, 0.12), p.u(0.036, 0.046)
    big, little = (0.62, 0.94 - radius), (0.13, 0.94 - small)
    _wheel(p, *big, radius, 0.036, 6)
    _wheel(p, *little, small, 0.034, 3)
    top = big[1] - radius - 0.07
    p.stroke(MAIN, w, w, [little, (0.2, big[1] - 0.08), (0.36, top + 0.12), (0.6, top)])
    p.lines(MAIN, w, big, (0.6, top))
    p.line(MAIN, 0.6, top, 0.66, top - 0.09, w)
    p.lines(MAIN, w, (0.58, top - 0.06), (0.66, top - 0.09), (0.75, top - 0.04))
    p.line(INK, 0.38, top + 0.02, 0.54, top - 0.02, 0.055, 0.04)
    p.line(INK, big[0], big[1], big[0] + 0.07, big[1] + 0.09, 0.025)
    p.line(INK, big[0] + 0.03, big[1] + 0.1, big[0] + 0.12, big[1] + 0.1, 0.03)


AIRPLANES = {"above": _airplane_above, "airliner": _airplane_airliner, "biplane": _airplane_biplane}
BICYCLES = {"road": _bicycle_road, "city": _bicycle_city, "penny_farthing": _bicycle_penny_farthing}
BOATS = {"sailing": _boat_sailing, "steamer": _boat_steamer, "galleon": _boat_galleon}
