"""Drawings of cats and dogs."""

from metamerlib.stimuli.objects16.pen import INK, MAIN, PAPER, SECOND, Pen


def _cat_face(p: Pen, x: float, y: float, s: float) -> None:
    """Draw a cat's head of half width s about (x, y), looking at the viewer."""
    tall, out = s * p.u(1.25, 1.5), s * p.u(0.85, 1.0)
    for side in (-1, 1):
        p.poly(MAIN, (x + side * s * 0.97, y - s * 0.05), (x + side * out, y - tall), (x + side * s * 0.1, y - s * 0.6))
        p.poly(
            SECOND, (x + side * s * 0.8, y - s * 0.4), (x + side * out * 0.93, y - tall * 0.8),
            (x + side * s * 0.4, y - s * 0.6),
        )  # fmt: skip
    p.ellipse(MAIN, x, y, s, s * p.u(0.8, 0.9))
    eye = s * p.u(0.2, 0.26)
    for side in (-1, 1):
        p.ellipse(PAPER, x + side * s * 0.42, y - s * 0.12, eye, eye * 0.85)
        p.ellipse(INK, x + side * s * 0.42, y - s * 0.12, eye * 0.4, eye * 0.8)
        for slope in (-0.12, 0.04, 0.2):
            p.line(
                INK, x + side * s * 0.35, y + s * (0.36 + slope * 0.5), x + side * s * 1.4, y + s * (0.3 + slope * 1.6),
                s * 0.05,
            )  # fmt: skip
        p.arc(INK, x + side * s * 0.14, y + s * 0.4, s * 0.14, s * 0.14, 0, 180, s * 0.07)
    p.poly(INK, (x - s * 0.14, y + s * 0.18), (x + s * 0.14, y + s * 0.18), (x, y + s * 0.36))


def _cat_head(p: Pen) -> None:
    _cat_face(p, 0.5, 0.58, 0.34)
    for shift in (-0.08, 0.0, 0.08):
        p.line(SECOND, 0.5 + shift, 0.32, 0.5 + shift * 0.8, 0.42, 0.03)


def _cat_sitting(p: Pen) -> None:
    wide = p.u(0.22, 0.28)
    tip = p.u(0.48, 0.62)
    p.stroke(MAIN, 0.08, 0.06, [(0.62, 0.9), (0.84, 0.9), (0.92, 0.76), (0.86, tip), (0.92, tip - 0.1)])
    p.blob(
        MAIN, (0.5, 0.36), (0.62, 0.45), (0.5 + wide * 0.85, 0.65), (0.5 + wide, 0.85), (0.5 + wide * 0.8, 0.96),
        (0.5, 0.97), (0.5 - wide * 0.8, 0.96), (0.5 - wide, 0.85), (0.5 - wide * 0.85, 0.65), (0.38, 0.45),
    )  # fmt: skip
    p.blob(PAPER, (0.5, 0.46), (0.58, 0.54), (0.5, 0.72), (0.42, 0.54))
    for side in (-1, 1):
        p.line(SECOND, 0.5 + side * 0.07, 0.7, 0.5 + side * 0.07, 0.93, 0.1)
        p.ellipse(SECOND, 0.5 + side * 0.08, 0.95, 0.075, 0.04)
        p.arc(SECOND, 0.5 + side * wide * 0.7, 0.88, 0.08, 0.12, 90, 90 - side * 160, 0.025)
    _cat_face(p, 0.5, 0.3, p.u(0.18, 0.21))


def _cat_walking(p: Pen) -> None:
    low, thick = p.u(0.86, 0.94), p.u(0.06, 0.075)
    step = p.u(0.03, 0.09)
    p.stroke(MAIN, 0.065, 0.045, [(0.22, 0.5), (0.1, 0.42), (0.09, 0.25), (0.16, 0.14), (p.u(0.08, 0.2), 0.06)])
    for x, sign in ((0.3, 1), (0.6, 1)):
        p.line(SECOND, x, 0.55, x + sign * step, low - 0.02, thick)
    p.blob(
        MAIN, (0.17, 0.5), (0.24, 0.43), (0.45, 0.46), (0.62, 0.42), (0.72, 0.42), (0.76, 0.52), (0.68, 0.62),
        (0.48, 0.6), (0.3, 0.63), (0.19, 0.6),
    )  # fmt: skip
    for x, sign in ((0.24, -1), (0.67, 1)):
        p.line(MAIN, x, 0.56, x + sign * step, low, thick * 1.4, thick)
        p.ellipse(MAIN, x + sign * step + 0.02, low, thick * 0.75, thick * 0.5)
    if p.chance(0.6):
        for x in (0.34, 0.42, 0.5, 0.58):
            p.line(SECOND, x, 0.46, x - 0.01, 0.54, 0.03, 0.015)
    _cat_face(p, 0.79, 0.36, p.u(0.145, 0.165))


def _dog_head(p: Pen) -> None:
    drop, out = p.u(0.66, 0.8), p.u(0.36, 0.42)
    p.blob(
        MAIN, (0.5, 0.14), (0.66, 0.17), (0.76, 0.32), (0.73, 0.52), (0.66, 0.68), (0.64, 0.82), (0.5, 0.9),
        (0.36, 0.82), (0.34, 0.68), (0.27, 0.52), (0.24, 0.32), (0.34, 0.17),
    )  # fmt: skip
    if p.chance(0.5):
        p.ellipse(PAPER, 0.62, 0.4, 0.1, 0.12)
    p.blob(PAPER, (0.5, 0.5), (0.6, 0.6), (0.65, 0.74), (0.5, 0.88), (0.35, 0.74), (0.4, 0.6))
    p.blob(SECOND, (0.45, 0.8), (0.55, 0.8), (0.56, 0.92), (0.5, 0.98), (0.44, 0.92))
    for side in (-1, 1):
        p.blob(
            SECOND, (0.5 + side * 0.14, 0.15), (0.5 + side * 0.28, 0.14), (0.5 + side * out, 0.34),
            (0.5 + side * (out + 0.03), drop - 0.12), (0.5 + side * (out - 0.06), drop), (0.5 + side * 0.27, 0.56),
            (0.5 + side * 0.24, 0.34),
        )  # fmt: skip
        p.disk(INK, 0.5 + side * 0.12, 0.41, 0.042)
        p.disk(PAPER, 0.5 + side * 0.12 + 0.012, 0.4, 0.013)
        p.arc(INK, 0.5 + side * 0.075, 0.73, 0.075, 0.06, 0, 180, 0.025)
    p.ellipse(INK, 0.5, 0.6, p.u(0.085, 0.105), 0.065)
    p.line(INK, 0.5, 0.62, 0.5, 0.73, 0.025)


def _dog_muzzle(p: Pen, x: float, y: float, s: float) -> None:
    """Draw a dog's head in profile, snout to the right, with a hanging ear; s is the skull's radius."""
    snout = s * p.u(1.7, 2.05)
    p.disk(MAIN, x, y, s)
    p.blob(
        MAIN, (x, y - s * 0.75), (x + s * 0.85, y - s * 0.35), (x + snout, y - s * 0.12), (x + snout, y + s * 0.45),
        (x + s * 0.9, y + s * 0.75), (x, y + s * 0.9),
    )  # fmt: skip
    p.disk(INK, x + snout, y - s * 0.05, s * 0.24)
    p.line(INK, x + snout * 0.98, y + s * 0.42, x + s * 0.95, y + s * 0.4, s * 0.1)
    p.disk(INK, x + s * 0.5, y - s * 0.3, s * 0.15)
    hang = s * p.u(1.0, 1.35)
    p.blob(
        SECOND, (x - s * 0.2, y - s * 0.75), (x + s * 0.18, y - s * 0.5), (x + s * 0.2, y + hang * 0.6),
        (x - s * 0.25, y + hang), (x - s * 0.75, y + hang * 0.7), (x - s * 0.7, y - s * 0.2),
    )  # fmt: skip


def _dog_standing(p: Pen) -> None:
    low, thick = p.u(0.88, 0.95), p.u(0.075, 0.095)
    p.stroke(MAIN, 0.07, 0.035, [(0.17, 0.46), (0.08, 0.34), (p.u(0.06, 0.14), 0.2)])
    for x in (0.29, 0.56):
        p.line(SECOND, x, 0.55, x + 0.02, low - 0.02, thick)
    p.blob(
        MAIN, (0.13, 0.46), (0.2, 0.41), (0.4, 0.43), (0.58, 0.4), (0.7, 0.44), (0.7, 0.6), (0.6, 0.69),
        (0.42, 0.62), (0.28, 0.61), (0.15, 0.6),
    )  # fmt: skip
    p.line(MAIN, 0.6, 0.52, 0.7, 0.3, 0.2, 0.15)
    for x in (0.19, 0.64):
        p.line(MAIN, x, 0.58, x, low, thick * 1.35, thick)
        p.ellipse(MAIN, x + 0.025, low + 0.005, thick * 0.75, thick * 0.45)
    if p.chance(0.5):
        p.ellipse(SECOND, p.u(0.3, 0.45), 0.48, 0.1, 0.055)
    p.line(PAPER, 0.585, 0.36, 0.745, 0.43, 0.04)
    _dog_muzzle(p, 0.71, 0.25, p.u(0.105, 0.125))


def _dog_dachshund(p: Pen) -> None:
    low, thick, fat = p.u(0.74, 0.79), p.u(0.075, 0.09), p.u(0.0, 0.03)
    p.stroke(MAIN, 0.05, 0.02, [(0.1, 0.5), (0.03, 0.42), (0.0, p.u(0.28, 0.36))])
    for x in (0.2, 0.63):
        p.line(SECOND, x, 0.6, x + 0.01, low - 0.015, thick)
    p.blob(
        MAIN, (0.06, 0.52), (0.13, 0.45), (0.4, 0.46 - fat), (0.66, 0.44), (0.76, 0.5), (0.74, 0.62), (0.64, 0.68),
        (0.4, 0.65 + fat), (0.16, 0.66), (0.07, 0.61),
    )  # fmt: skip
    p.line(MAIN, 0.68, 0.54, 0.76, 0.38, 0.17, 0.12)
    for x in (0.12, 0.7):
        p.line(MAIN, x, 0.62, x, low, thick * 1.2, thick)
        p.ellipse(MAIN, x + 0.02, low + 0.005, thick * 0.75, thick * 0.45)
    p.line(PAPER, 0.665, 0.43, 0.785, 0.48, 0.035)
    _dog_muzzle(p, 0.77, 0.35, p.u(0.09, 0.1))


CATS = {"head": _cat_head, "sitting": _cat_sitting, "walking": _cat_walking}
DOGS = {"head": _dog_head, "standing": _dog_standing, "dachshund": _dog_dachshund}
