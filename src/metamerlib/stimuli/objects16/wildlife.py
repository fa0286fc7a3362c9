"""Drawings of bears, birds and elephants."""

from metamerlib.stimuli.objects16.pen import INK, MAIN, PAPER, SECOND, Pen


def _bear_face(p: Pen, x: float, y: float, s: float) -> None:
    """Draw a bear's head of half width s about (x, y): round ears, close eyes, broad muzzle."""
    ear = s * p.u(0.3, 0.38)
    for side in (-1, 1):
        p.disk(MAIN, x + side * s * 0.72, y - s * 0.68, ear)
        p.disk(SECOND, x + side * s * 0.72, y - s * 0.68, ear * 0.55)
    p.ellipse(MAIN, x, y, s, s * p.u(0.86, 0.94))
    p.ellipse(PAPER, x, y + s * 0.36, s * p.u(0.46, 0.54), s * 0.4)
    p.ellipse(INK, x, y + s * 0.17, s * 0.21, s * 0.14)
    p.line(INK, x, y + s * 0.2, x, y + s * 0.46, s * 0.07)
    p.arc(INK, x, y + s * 0.38, s * 0.2, s * 0.14, 10, 170, s * 0.07)
    for side in (-1, 1):
        p.disk(INK, x + side * s * 0.34, y - s * 0.2, s * 0.095)


def _bear_head(p: Pen) -> None:
    _bear_face(p, 0.5, 0.55, 0.42)


def _bear_sitting(p: Pen) -> None:
    wide = p.u(0.26, 0.31)
    for side in (-1, 1):
        p.line(MAIN, 0.5 + side * wide * 0.7, 0.52, 0.5 + side * (wide + 0.1), p.u(0.62, 0.74), 0.15, 0.13)
    p.ellipse(MAIN, 0.5, 0.68, wide, 0.27)
    p.ellipse(SECOND, 0.5, 0.7, wide * 0.62, 0.18)
    for side in (-1, 1):
        p.ellipse(MAIN, 0.5 + side * 0.25, 0.89, 0.13, 0.1)
        p.ellipse(PAPER, 0.5 + side * 0.27, 0.89, 0.065, 0.055)
    _bear_face(p, 0.5, 0.3, p.u(0.21, 0.24))


def _bear_walking(p: Pen) -> None:
    low, thick, hump = p.u(0.82, 0.88), p.u(0.14, 0.165), p.u(0.16, 0.21)
    for x in (0.3, 0.6):
        p.line(SECOND, x, 0.55, x + 0.02, low - 0.05, thick * 0.95)
        p.ellipse(SECOND, x + 0.05, low - 0.02, thick * 0.6, 0.045)
    p.blob(
        MAIN, (0.04, 0.5), (0.08, 0.34), (0.22, 0.25), (0.42, 0.26), (0.58, hump), (0.7, 0.22), (0.8, 0.27),
        (0.86, 0.32), (0.96, 0.42), (0.97, 0.49), (0.88, 0.52), (0.78, 0.53), (0.72, 0.64), (0.5, 0.66), (0.3, 0.66),
        (0.1, 0.66),
    )  # fmt: skip
    for x in (0.14, 0.68):
        p.line(MAIN, x, 0.55, x, low, thick * 1.25, thick)
        p.ellipse(MAIN, x + 0.04, low + 0.03, thick * 0.7, 0.05)
        for claw in (0.06, 0.1, 0.135):
            p.disk(PAPER, x + claw, low + 0.05, 0.014)
    p.disk(MAIN, 0.76, 0.235, 0.055)
    p.disk(SECOND, 0.765, 0.24, 0.028)
    p.blob(PAPER, (0.89, 0.39), (0.96, 0.42), (0.97, 0.49), (0.88, 0.51))
    p.ellipse(INK, 0.965, 0.43, 0.028, 0.024)
    p.line(INK, 0.965, 0.485, 0.9, 0.48, 0.012)
    p.disk(INK, 0.86, 0.36, 0.018)


def _bird_songbird(p: Pen) -> None:
    plump, beak = p.u(0.0, 0.05), p.u(0.1, 0.16)
    for x in (0.46, 0.56):
        p.lines(MAIN, 0.025, (x, 0.66), (x + 0.01, 0.9), (x + 0.08, 0.92))
        p.line(MAIN, x + 0.01, 0.9, x - 0.04, 0.93, 0.025)
    p.poly(SECOND, (0.3, 0.44), (0.0, p.u(0.48, 0.6)), (0.04, 0.68), (0.34, 0.62))
    p.poly(INK, (0.84, 0.2), (0.84 + beak, 0.27), (0.84, 0.33))
    p.blob(
        MAIN, (0.24, 0.52), (0.36, 0.4), (0.54, 0.3), (0.62, 0.18), (0.74, 0.13), (0.86, 0.2), (0.86, 0.34),
        (0.8, 0.5), (0.7, 0.66 + plump), (0.5, 0.74 + plump), (0.34, 0.66),
    )  # fmt: skip
    p.blob(PAPER, (0.8, 0.42), (0.79, 0.5), (0.69, 0.65 + plump), (0.56, 0.7 + plump), (0.66, 0.52))
    p.blob(SECOND, (0.2, 0.6), (0.38, 0.46), (0.56, 0.42), (0.62, 0.5), (0.52, 0.62), (0.36, 0.66))
    p.line(INK, 0.3, 0.59, 0.5, 0.55, 0.015)
    p.disk(INK, 0.76, 0.24, 0.032)


def _bird_flying(p: Pen) -> None:
    lift, sweep = p.u(0.02, 0.12), p.u(-0.06, 0.06)
    p.blob(
        SECOND, (0.56, 0.56), (0.62, 0.4), (0.74 + sweep, 0.2), (0.92 + sweep, lift + 0.02), (0.86 + sweep, 0.26),
        (0.76, 0.46), (0.68, 0.58),
    )  # fmt: skip
    p.poly(SECOND, (0.3, 0.62), (0.04, 0.68), (0.02, 0.8), (0.12, 0.77), (0.12, 0.88), (0.34, 0.7))
    p.poly(INK, (0.89, 0.5), (1.02, 0.555), (0.88, 0.59))
    p.blob(
        MAIN, (0.24, 0.7), (0.38, 0.58), (0.6, 0.53), (0.74, 0.49), (0.83, 0.44), (0.91, 0.49), (0.9, 0.58),
        (0.78, 0.65), (0.6, 0.73), (0.4, 0.75),
    )  # fmt: skip
    p.blob(
        MAIN, (0.66, 0.58), (0.58, 0.42), (0.42 + sweep, 0.24), (0.14 + sweep, lift), (0.2 + sweep, 0.2),
        (0.28, 0.38), (0.38, 0.54), (0.46, 0.66),
    )  # fmt: skip
    for k in range(3):
        p.line(INK, 0.28 + 0.08 * k + sweep * 0.5, 0.22 + 0.1 * k, 0.4 + 0.06 * k, 0.44 + 0.06 * k, 0.014)
    p.disk(INK, 0.845, 0.51, 0.02)


def _bird_duck(p: Pen) -> None:
    bill, tall = p.u(0.12, 0.16), p.u(0.0, 0.08)
    p.blob(SECOND, (0.78, 0.21 - tall), (0.84 + bill, 0.26 - tall), (0.86 + bill, 0.31 - tall), (0.78, 0.33 - tall))
    p.blob(
        MAIN, (0.02, 0.42), (0.2, 0.5), (0.4, 0.47), (0.54, 0.5), (0.62, 0.4), (0.58, 0.26 - tall),
        (0.64, 0.14 - tall), (0.76, 0.12 - tall), (0.84, 0.22 - tall), (0.8, 0.34 - tall), (0.77, 0.44),
        (0.84, 0.58), (0.78, 0.74), (0.56, 0.83), (0.28, 0.8), (0.1, 0.66),
    )  # fmt: skip
    p.line(PAPER, 0.61, 0.385, 0.775, 0.385, 0.045)
    p.blob(SECOND, (0.14, 0.54), (0.36, 0.53), (0.58, 0.57), (0.56, 0.68), (0.42, 0.72), (0.24, 0.66))
    p.lines(INK, 0.016, (0.24, 0.61), (0.4, 0.63), (0.52, 0.61))
    p.disk(INK, 0.74, 0.2 - tall, 0.026)
    if p.chance(0.5):
        p.stroke(PAPER, 0.03, 0.03, [(0.02, 0.86), (0.2, 0.83), (0.4, 0.88), (0.6, 0.83), (0.8, 0.88), (0.96, 0.84)])


def _elephant_legs(p: Pen, xs: tuple[float, ...], role: int, low: float, thick: float) -> None:
    for x in xs:
        p.poly(role, (x, 0.52), (x + thick, 0.52), (x + thick * 0.94, low), (x + thick * 0.06, low))
        for toe in (0.2, 0.5, 0.8):
            p.ellipse(PAPER, x + thick * toe, low - 0.012, thick * 0.13, 0.018)


def _elephant_side(p: Pen) -> None:
    low, thick, curl = p.u(0.88, 0.94), p.u(0.12, 0.14), p.u(-0.06, 0.06)
    p.line(MAIN, 0.08, 0.38, 0.03, 0.62, 0.025)
    p.disk(INK, 0.03, 0.64, 0.025)
    _elephant_legs(p, (0.25, 0.44), SECOND, low - 0.03, thick)
    p.blob(
        MAIN, (0.06, 0.46), (0.12, 0.28), (0.3, 0.2), (0.5, 0.22), (0.64, 0.3), (0.66, 0.5), (0.58, 0.68),
        (0.36, 0.7), (0.14, 0.68),
    )  # fmt: skip
    _elephant_legs(p, (0.1, 0.52), MAIN, low, thick)
    p.stroke(MAIN, 0.17, 0.065, [(0.8, 0.34), (0.89, 0.52), (0.88, 0.72), (0.9 + curl, 0.86), (0.98 + curl, 0.86)])
    p.ellipse(MAIN, 0.73, 0.32, 0.16, 0.18)
    p.stroke(PAPER, 0.045, 0.015, [(0.79, 0.5), (0.86, 0.6), (0.98, 0.58)])
    wide = p.u(0.13, 0.16)
    p.blob(
        SECOND, (0.7, 0.2), (0.74, 0.34), (0.68, 0.5), (0.58, 0.58), (0.66 - wide, 0.5), (0.62 - wide, 0.32),
        (0.67 - wide, 0.19), (0.6, 0.15),
    )  # fmt: skip
    p.disk(INK, 0.8, 0.29, 0.022)


def _elephant_front(p: Pen) -> None:
    wide, droop = p.u(0.44, 0.49), p.u(0.55, 0.64)
    for side in (-1, 1):
        x = 0.5
        p.blob(
            MAIN, (x + side * 0.1, 0.16), (x + side * 0.26, 0.08), (x + side * wide, 0.16),
            (x + side * (wide + 0.02), 0.36), (x + side * wide * 0.82, droop), (x + side * 0.2, 0.5),
        )  # fmt: skip
        p.blob(
            SECOND, (x + side * 0.16, 0.2), (x + side * 0.27, 0.14), (x + side * (wide - 0.06), 0.2),
            (x + side * (wide - 0.05), 0.36), (x + side * wide * 0.74, droop - 0.08), (x + side * 0.2, 0.44),
        )  # fmt: skip
    p.ellipse(MAIN, 0.5, 0.3, 0.2, 0.23)
    for side in (-1, 1):
        p.stroke(PAPER, 0.06, 0.02, [(0.5 + side * 0.11, 0.5), (0.5 + side * 0.16, 0.62), (0.5 + side * 0.26, 0.7)])
    end = p.u(0.06, 0.16)
    p.stroke(MAIN, 0.2, 0.09, [(0.5, 0.36), (0.5, 0.56), (0.49, 0.76), (0.5 + end * 0.4, 0.9), (0.52 + end, 0.92)])
    for k in range(5):
        half = 0.075 - 0.008 * k
        p.line(INK, 0.5 - half, 0.5 + 0.07 * k, 0.5 + half, 0.5 + 0.07 * k, 0.016)
    for side in (-1, 1):
        p.ellipse(INK, 0.5 + side * 0.11, 0.3, 0.026, 0.03)


def _elephant_trumpeting(p: Pen) -> None:
    low, thick, high = p.u(0.88, 0.94), p.u(0.11, 0.13), p.u(0.02, 0.08)
    p.stroke(MAIN, 0.035, 0.02, [(0.1, 0.42), (0.03, 0.46), (0.0, 0.58)])
    _elephant_legs(p, (0.22, 0.4), SECOND, low - 0.03, thick)
    p.stroke(MAIN, 0.16, 0.06, [(0.76, 0.42), (0.88, 0.46), (0.95, 0.34), (0.9, 0.18), (0.98, high)])
    p.blob(
        MAIN, (0.07, 0.5), (0.12, 0.36), (0.28, 0.3), (0.46, 0.31), (0.6, 0.3), (0.64, 0.5), (0.56, 0.7),
        (0.34, 0.72), (0.13, 0.7),
    )  # fmt: skip
    p.blob(SECOND, (0.2, 0.32), (0.32, 0.3), (0.42, 0.32), (0.44, 0.56), (0.3, 0.6), (0.18, 0.56))
    _elephant_legs(p, (0.08, 0.5), MAIN, low, thick)
    p.ellipse(MAIN, 0.7, 0.36, 0.15, 0.16)
    p.stroke(PAPER, 0.045, 0.015, [(0.77, 0.5), (0.86, 0.57), (0.96, 0.52)])
    p.blob(PAPER, (0.66, 0.52), (0.74, 0.51), (0.76, 0.55), (0.7, 0.58))
    tall = p.u(0.15, 0.22)
    p.blob(
        SECOND, (0.68, 0.3), (0.7, 0.42), (0.62, 0.56), (0.5, 0.6), (0.46, 0.44), (0.48, tall + 0.06), (0.56, tall),
        (0.64, tall + 0.05),
    )  # fmt: skip
    p.disk(INK, 0.77, 0.32, 0.022)


BEARS = {"head": _bear_head, "sitting": _bear_sitting, "walking": _bear_walking}
BIRDS = {"songbird": _bird_songbird, "flying": _bird_flying, "duck": _bird_duck}
ELEPHANTS = {"side": _elephant_side, "front": _elephant_front, "trumpeting": _elephant_trumpeting}
