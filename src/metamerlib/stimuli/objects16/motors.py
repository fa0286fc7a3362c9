"""Drawings of cars and trucks."""

from metamerlib.stimuli.objects16.pen import INK, MAIN, PAPER, SECOND, Pen


def _tyre(p: Pen, x: float, y: float, radius: float) -> None:
    p.disk(INK, x, y, radius)
    p.disk(PAPER, x, y, radius * 0.52)
    p.disk(INK, x, y, radius * 0.2)


def _car_sedan(p: Pen) -> None:
    roof, back, front = p.u(0.29, 0.35), p.u(0.26, 0.34), p.u(0.6, 0.68)
    radius = p.u(0.095, 0.115)
    p.poly(MAIN, (back - 0.14, 0.54), (back, roof), (front, roof), (front + 0.18, 0.54))
    p.blob(
        MAIN, (0.02, 0.56), (0.06, 0.51), (0.24, 0.49), (0.5, 0.49), (0.76, 0.5), (0.93, 0.54), (0.98, 0.6),
        (0.98, 0.69), (0.9, 0.72), (0.5, 0.72), (0.1, 0.72), (0.02, 0.68),
    )  # fmt: skip
    glass, post = roof + 0.04, 0.5 * (back + front)
    p.poly(PAPER, (back - 0.08, 0.5), (back + 0.02, glass), (post - 0.02, glass), (post - 0.02, 0.5))
    p.poly(PAPER, (post + 0.02, 0.5), (post + 0.02, glass), (front - 0.02, glass), (front + 0.11, 0.5))
    p.line(INK, post, 0.52, post + 0.01, 0.69, 0.012)
    p.line(INK, post + 0.04, 0.55, post + 0.09, 0.55, 0.018)
    p.line(INK, 0.04, 0.69, 0.96, 0.69, 0.03)
    p.ellipse(PAPER, 0.94, 0.57, 0.03, 0.025)
    p.ellipse(SECOND, 0.045, 0.57, 0.025, 0.03)
    _tyre(p, 0.23, 0.72, radius)
    _tyre(p, 0.77, 0.72, radius)


def _car_beetle(p: Pen) -> None:
    roof, radius = p.u(0.2, 0.27), p.u(0.12, 0.135)
    p.blob(
        MAIN, (0.08, 0.7), (0.08, 0.56), (0.18, 0.46), (0.26, roof + 0.08), (0.4, roof), (0.56, roof + 0.01),
        (0.68, roof + 0.1), (0.76, 0.47), (0.9, 0.53), (0.95, 0.62), (0.92, 0.72), (0.5, 0.76),
    )  # fmt: skip
    p.blob(
        PAPER, (0.27, 0.46), (0.31, roof + 0.1), (0.42, roof + 0.055), (0.46, roof + 0.06), (0.46, 0.46),
        (0.4, 0.465),
    )  # fmt: skip
    p.blob(
        PAPER, (0.52, 0.46), (0.52, roof + 0.06), (0.57, roof + 0.07), (0.64, roof + 0.13), (0.69, 0.46),
        (0.6, 0.465),
    )  # fmt: skip
    p.line(INK, 0.49, 0.48, 0.49, 0.72, 0.012)
    p.line(INK, 0.53, 0.53, 0.58, 0.53, 0.02)
    for x in (0.22, 0.78):
        p.arc(SECOND, x, 0.72, radius + 0.035, radius + 0.035, 180, 360, 0.06)
        _tyre(p, x, 0.73, radius)
    p.line(SECOND, 0.36, 0.745, 0.64, 0.745, 0.04)
    p.disk(PAPER, 0.93, 0.58, 0.035)


def _car_front(p: Pen) -> None:
    roof, wide = p.u(0.17, 0.23), p.u(0.25, 0.3)
    for side in (-1, 1):
        p.box(INK, 0.5 + side * 0.32 - 0.075, 0.66, 0.5 + side * 0.32 + 0.075, 0.86, 0.03)
        p.ellipse(MAIN, 0.5 + side * 0.44, 0.42, 0.06, 0.04)
    p.blob(
        MAIN, (0.5 - wide, roof + 0.02), (0.5, roof), (0.5 + wide, roof + 0.02), (0.5 + wide + 0.06, 0.34),
        (0.87, 0.47), (0.91, 0.58), (0.9, 0.74), (0.5, 0.78), (0.1, 0.74), (0.09, 0.58), (0.13, 0.47),
        (0.5 - wide - 0.06, 0.34),
    )  # fmt: skip
    p.poly(
        PAPER, (0.53 - wide, roof + 0.05), (0.47 + wide, roof + 0.05), (0.5 + wide + 0.07, 0.43),
        (0.5 - wide - 0.07, 0.43),
    )  # fmt: skip
    p.line(INK, 0.5 - wide * 0.7, 0.43, 0.5 - wide * 0.1, 0.37, 0.014)
    p.line(INK, 0.5 + wide * 0.1, 0.43, 0.5 + wide * 0.7, 0.37, 0.014)
    for side in (-1, 1):
        p.ellipse(INK, 0.5 + side * 0.3, 0.56, 0.085, 0.06)
        p.ellipse(PAPER, 0.5 + side * 0.3, 0.56, 0.065, 0.044)
    p.box(INK, 0.36, 0.54, 0.64, 0.63, 0.02)
    for y in (0.565, 0.605):
        p.line(SECOND, 0.38, y, 0.62, y, 0.014)
    p.box(SECOND, 0.1, 0.68, 0.9, 0.75, 0.03)
    p.rect(PAPER, 0.42, 0.68, 0.58, 0.74)


def _truck_box(p: Pen) -> None:
    top, split = p.u(0.14, 0.22), p.u(0.6, 0.66)
    p.rect(SECOND, 0.02, 0.68, 0.96, 0.75)
    p.rect(MAIN, 0.0, top, split, 0.7)
    for k in (1, 2, 3, 4):
        p.line(SECOND, split * k / 5, top + 0.03, split * k / 5, 0.67, 0.012)
    cab = p.u(0.34, 0.4)
    p.poly(
        MAIN, (split + 0.03, cab), (split + 0.2, cab), (split + 0.29, 0.54), (0.98, 0.57), (0.98, 0.72),
        (split + 0.03, 0.72),
    )  # fmt: skip
    p.poly(PAPER, (split + 0.08, cab + 0.04), (split + 0.18, cab + 0.04), (split + 0.25, 0.54), (split + 0.08, 0.54))
    p.line(INK, split + 0.09, 0.6, split + 0.14, 0.6, 0.02)
    p.ellipse(PAPER, 0.965, 0.63, 0.022, 0.028)
    for x in (0.16, 0.36, 0.82):
        _tyre(p, x, 0.76, 0.095)


def _truck_tipper(p: Pen) -> None:
    tilt = p.u(0.04, 0.16)
    p.rect(INK, 0.06, 0.64, 0.94, 0.71)
    p.line(INK, 0.5, 0.64, 0.5, 0.5, 0.04)
    p.blob(
        SECOND, (0.1, 0.4 - tilt * 0.2), (0.24, 0.25 - tilt * 0.5), (0.42, 0.18 - tilt), (0.56, 0.32 - tilt),
        (0.3, 0.46),
    )  # fmt: skip
    p.poly(MAIN, (0.0, 0.38), (0.6, 0.36 - tilt), (0.58, 0.6 - tilt * 0.8), (0.1, 0.63))
    p.poly(MAIN, (0.55, 0.3 - tilt), (0.76, 0.27 - tilt), (0.76, 0.31 - tilt), (0.58, 0.38 - tilt))
    for k in (0.14, 0.27, 0.4, 0.5):
        p.line(SECOND, k, 0.4 - tilt * k * 1.4, k + 0.03, 0.58 - tilt * k * 1.2, 0.02)
    p.poly(MAIN, (0.66, 0.34), (0.86, 0.34), (0.92, 0.5), (0.98, 0.53), (0.98, 0.7), (0.66, 0.7))
    p.poly(PAPER, (0.72, 0.39), (0.83, 0.39), (0.88, 0.51), (0.72, 0.51))
    p.ellipse(PAPER, 0.965, 0.6, 0.022, 0.028)
    for x in (0.16, 0.38, 0.82):
        _tyre(p, x, 0.74, 0.11)


def _truck_semi(p: Pen) -> None:
    top, tank = p.u(0.28, 0.34), p.chance(0.4)
    if tank:
        p.box(MAIN, 0.0, top, 0.62, 0.62, 0.13)
        p.line(PAPER, 0.08, 0.46, 0.54, 0.46, 0.05)
        for x in (0.18, 0.42):
            p.line(SECOND, x, top + 0.01, x, 0.61, 0.018)
    else:
        p.rect(MAIN, 0.0, top, 0.62, 0.64)
        p.rect(SECOND, 0.0, 0.46, 0.62, 0.52)
    p.rect(INK, 0.02, 0.63, 0.96, 0.68)
    p.line(SECOND, 0.66, 0.62, 0.66, p.u(0.2, 0.26), 0.032)
    p.poly(
        MAIN, (0.68, 0.34), (0.8, 0.34), (0.84, 0.48), (0.97, 0.5), (0.99, 0.54), (0.99, 0.68), (0.68, 0.68),
    )  # fmt: skip
    p.poly(PAPER, (0.715, 0.375), (0.785, 0.375), (0.815, 0.48), (0.715, 0.48))
    p.rect(INK, 0.955, 0.53, 0.985, 0.63)
    p.line(SECOND, 0.86, 0.54, 0.93, 0.54, 0.016)
    for x in (0.08, 0.2, 0.62, 0.74, 0.91):
        _tyre(p, x, 0.7, 0.062)


CARS = {"sedan": _car_sedan, "beetle": _car_beetle, "front": _car_front}
TRUCKS = {"box": _truck_box, "tipper": _truck_tipper, "semi": _truck_semi}
