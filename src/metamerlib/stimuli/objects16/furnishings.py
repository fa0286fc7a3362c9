"""Drawings of chairs, clocks and keyboards."""

import math
from itertools import pairwise

from metamerlib.stimuli.objects16.pen import INK, MAIN, PAPER, SECOND, Pen


def _chair_kitchen(p: Pen) -> None:
    w, top, seat = p.u(0.05, 0.07), p.u(0.04, 0.1), p.u(0.52, 0.58)
    p.line(SECOND, 0.76, seat, 0.78, 0.84, w)
    p.line(SECOND, 0.46, seat, 0.46, 0.82, w)
    p.line(MAIN, 0.2, 0.12 + top, 0.2, 0.94, w)
    p.line(MAIN, 0.46, top, 0.46, seat, w)
    p.line(MAIN, 0.56, seat + 0.08, 0.57, 0.96, w)
    for k in range(2 + int(p.u(0, 2))):
        y = top + 0.05 + 0.13 * k
        p.poly(MAIN, (0.2, y + 0.1), (0.46, y - 0.01), (0.46, y + 0.06), (0.2, y + 0.17))
    p.poly(SECOND, (0.17, seat + 0.03), (0.46, seat - 0.05), (0.81, seat), (0.6, seat + 0.1))
    p.poly(MAIN, (0.17, seat + 0.03), (0.6, seat + 0.1), (0.6, seat + 0.15), (0.17, seat + 0.08))
    p.poly(MAIN, (0.6, seat + 0.1), (0.81, seat), (0.81, seat + 0.05), (0.6, seat + 0.15))
    p.line(MAIN, 0.2, 0.8, 0.57, 0.84, w * 0.7)


def _chair_armchair(p: Pen) -> None:
    wide, top = p.u(0.36, 0.42), p.u(0.06, 0.14)
    for side in (-1, 1):
        p.poly(
            INK, (0.5 + side * (wide - 0.02), 0.88), (0.5 + side * (wide - 0.1), 0.88),
            (0.5 + side * (wide - 0.07), 0.98), (0.5 + side * (wide - 0.02), 0.98),
        )  # fmt: skip
    p.box(MAIN, 0.5 - wide * 0.82, top, 0.5 + wide * 0.82, 0.7, 0.1)
    for y in (0.24, 0.38):
        for x in (-0.14, 0.0, 0.14):
            p.disk(INK, 0.5 + x + (0.07 if y > 0.3 else 0.0) * (x < 0.1), y, 0.017)
    p.rect(MAIN, 0.5 - wide * 0.9, 0.68, 0.5 + wide * 0.9, 0.9)
    p.line(INK, 0.5 - wide * 0.66, 0.735, 0.5 + wide * 0.66, 0.735, 0.014)
    p.box(SECOND, 0.5 - wide * 0.68, 0.56, 0.5 + wide * 0.68, 0.71, 0.045)
    for side in (-1, 1):
        x = 0.5 + side * wide * 0.86
        p.box(SECOND, x - 0.085, 0.46, x + 0.085, 0.9, 0.05)
        p.disk(SECOND, x, 0.47, 0.1)
        p.ring(INK, x, 0.47, 0.05, 0.016)


def _chair_office(p: Pen) -> None:
    tall, high = p.u(0.03, 0.1), p.u(0.16, 0.2)
    for end, y in ((0.2, 0.9), (0.8, 0.9), (0.34, 0.94), (0.66, 0.94), (0.5, 0.95)):
        p.line(MAIN, 0.5, 0.82, end, y - 0.02, 0.04)
        p.disk(INK, end, y + 0.015, 0.032)
    p.rect(MAIN, 0.47, 0.6, 0.53, 0.84)
    p.rect(INK, 0.455, 0.66, 0.545, 0.76)
    p.line(MAIN, 0.5, 0.4, 0.5, 0.62, 0.06)
    p.box(MAIN, 0.5 - high, tall, 0.5 + high, 0.44, 0.08)
    p.box(SECOND, 0.54 - high, tall + 0.04, 0.46 + high, 0.4, 0.05)
    for side in (-1, 1):
        p.lines(MAIN, 0.035, (0.5 + side * 0.14, 0.6), (0.5 + side * 0.29, 0.58), (0.5 + side * 0.29, 0.42))
        p.line(INK, 0.5 + side * 0.27, 0.41, 0.5 + side * 0.31, 0.41, 0.045)
    p.box(SECOND, 0.24, 0.53, 0.76, 0.64, 0.05)


def _clock_face(p: Pen, x: float, y: float, r: float, marks: int) -> None:
    """Draw a dial with its marks and two hands at a random time."""
    p.disk(PAPER, x, y, r)
    for k in range(marks):
        cos, sin = math.cos(2 * math.pi * k / marks), math.sin(2 * math.pi * k / marks)
        inner = 0.7 if k % (marks // 4) == 0 else 0.8
        p.line(INK, x + inner * r * cos, y + inner * r * sin, x + 0.9 * r * cos, y + 0.9 * r * sin, r * 0.075)
    hour, minute = p.u(0, 2 * math.pi), p.u(0, 2 * math.pi)
    p.line(INK, x, y, x + 0.45 * r * math.cos(hour), y + 0.45 * r * math.sin(hour), r * 0.14)
    p.line(INK, x, y, x + 0.68 * r * math.cos(minute), y + 0.68 * r * math.sin(minute), r * 0.09)
    p.disk(SECOND, x, y, r * 0.1)


def _clock_wall(p: Pen) -> None:
    r, rim = 0.44, p.u(0.05, 0.09)
    if p.chance(0.35):
        p.box(MAIN, 0.06, 0.06, 0.94, 0.94, p.u(0.03, 0.12))
    else:
        p.disk(MAIN, 0.5, 0.5, r)
    p.disk(SECOND, 0.5, 0.5, r - rim * 0.5)
    _clock_face(p, 0.5, 0.5, r - rim, 12)


def _clock_alarm(p: Pen) -> None:
    r = p.u(0.29, 0.32)
    for side in (-1, 1):
        p.line(MAIN, 0.5 + side * 0.14, 0.8, 0.5 + side * 0.26, 0.96, 0.07)
        p.line(MAIN, 0.5 + side * 0.16, 0.36, 0.5 + side * 0.23, 0.24, 0.04)
        p.arc(SECOND, 0.5 + side * 0.25, 0.22, 0.07, 0.07, 180 + side * 35, 360 + side * 35, 0.14)
    p.line(MAIN, 0.5, 0.3, 0.5, 0.13, 0.03)
    p.line(MAIN, 0.44, 0.12, 0.56, 0.12, 0.06)
    p.arc(MAIN, 0.5, 0.12, 0.13, 0.09, 180, 360, 0.026)
    p.disk(MAIN, 0.5, 0.6, r + 0.05)
    _clock_face(p, 0.5, 0.6, r - 0.015, 12)


def _clock_grandfather(p: Pen) -> None:
    w = p.u(0.15, 0.18)
    p.poly(SECOND, (0.5 - w - 0.06, 0.1), (0.5, 0.0), (0.5 + w + 0.06, 0.1))
    p.rect(MAIN, 0.5 - w - 0.03, 0.09, 0.5 + w + 0.03, 0.42)
    p.rect(SECOND, 0.5 - w - 0.05, 0.42, 0.5 + w + 0.05, 0.46)
    p.rect(MAIN, 0.5 - w + 0.02, 0.46, 0.5 + w - 0.02, 0.86)
    p.rect(SECOND, 0.5 - w - 0.02, 0.84, 0.5 + w + 0.02, 0.88)
    p.rect(MAIN, 0.5 - w - 0.05, 0.88, 0.5 + w + 0.05, 0.98)
    _clock_face(p, 0.5, 0.26, w - 0.01, 12)
    p.rect(INK, 0.56 - w, 0.5, 0.44 + w, 0.8)
    swing = p.u(-0.04, 0.04)
    p.line(PAPER, 0.5, 0.5, 0.5 + swing, 0.72, 0.018)
    p.disk(PAPER, 0.5 + swing, 0.72, 0.045)


def _keyboard_full(p: Pen) -> None:
    half = p.u(0.19, 0.23)
    y0, y1 = 0.5 - half, 0.5 + half
    p.box(MAIN, 0.0, y0, 1.0, y1, 0.03)
    key, pitch = p.u(0.044, 0.05), 0.058
    row = (2 * half - 0.06) / 5
    for r in range(5):
        y = y0 + 0.03 + r * row
        top, bottom = y + 0.1 * row, y + 0.85 * row
        if r < 4:
            for c in range(11):
                p.rect(PAPER if c else INK, 0.035 + c * pitch, top, 0.035 + c * pitch + key, bottom)
        else:
            for x0, x1 in ((0.035, 0.13), (0.15, 0.53), (0.55, 0.665)):
                p.rect(PAPER, x0, top, x1, bottom)
        for c in range(4):
            p.rect(INK if c == 3 else PAPER, 0.73 + c * pitch, top, 0.73 + c * pitch + key, bottom)


def _keyboard_perspective(p: Pen) -> None:
    shrink, half = p.u(0.08, 0.16), p.u(0.18, 0.23)

    def at(x: float, y: float) -> tuple[float, float]:
        inset = shrink * (1.0 - y)
        return inset + x * (1.0 - 2.0 * inset), 0.5 - half + 2.0 * half * y

    p.poly(SECOND, at(0, 0.9), at(1, 0.9), (1.0, 0.55 + half), (0.0, 0.55 + half))
    p.poly(MAIN, at(0, 0), at(1, 0), at(1, 1), at(0, 1))
    rows = (0.06, 0.24, 0.42, 0.6, 0.79, 0.95)
    for r in range(5):
        top, bottom = rows[r], rows[r + 1] - 0.05
        edges = [0.03 + 0.094 * k for k in range(11)] if r < 4 else [0.03, 0.14, 0.25, 0.75, 0.86, 0.97]
        for x0, x1 in pairwise(edges):
            p.poly(INK, at(x0, top), at(x1 - 0.02, top), at(x1 - 0.02, bottom), at(x0, bottom))


def _keyboard_split(p: Pen) -> None:
    turn, row, edge = p.u(0.1, 0.22), p.u(0.062, 0.07), 0.03
    cos, sin, deep = math.cos(turn), math.sin(turn), 5 * row + 0.05

    def at(side: int, x: float, y: float) -> tuple[float, float]:
        # Each half leans outwards about its inner upper corner; x runs outwards, y down.
        return 0.5 + side * (0.04 + cos * x - sin * y + sin * deep), 0.3 + sin * x + cos * y

    for side in (-1, 1):
        p.poly(MAIN, at(side, 0.0, -edge), at(side, 0.48, -edge), at(side, 0.48, deep), at(side, -0.03, deep))
        p.blob(
            SECOND, at(side, -0.03, deep - 0.01), at(side, 0.24, deep - 0.02), at(side, 0.48, deep - 0.01),
            at(side, 0.46, deep + 0.07), at(side, 0.24, deep + 0.09), at(side, -0.01, deep + 0.08),
        )  # fmt: skip
    top, low, bottom = at(1, 0.0, -edge), at(1, -0.03, deep), at(1, -0.01, deep + 0.08)
    p.poly(MAIN, top, low, (1 - low[0], low[1]), (1 - top[0], top[1]))
    p.poly(SECOND, low, bottom, (1 - bottom[0], bottom[1]), (1 - low[0], low[1]))
    for side in (-1, 1):
        for r in range(5):
            y0, y1 = 0.01 + r * row, 0.01 + r * row + row * 0.72
            spans = [(0.015 + 0.065 * c, 0.062 + 0.065 * c) for c in range(7)]
            if r == 4:
                spans = [(0.0, 0.19), (0.21, 0.3), (0.34, 0.452)]
            for x0, x1 in spans:
                p.poly(INK, at(side, x0, y0), at(side, x1, y0), at(side, x1, y1), at(side, x0, y1))


CHAIRS = {"kitchen": _chair_kitchen, "armchair": _chair_armchair, "office": _chair_office}
CLOCKS = {"wall": _clock_wall, "alarm": _clock_alarm, "grandfather": _clock_grandfather}
KEYBOARDS = {"full": _keyboard_full, "perspective": _keyboard_perspective, "split": _keyboard_split}
