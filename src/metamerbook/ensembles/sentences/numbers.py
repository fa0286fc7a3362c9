"""Differences and their intervals, with signs."""


def signed(value: float, digits: int = 2) -> str:
    """Write a number with its sign.

    Parameters
    ----------
    value
        Any number.
    digits
        Behind the point.

    Returns
    -------
    str
        With a minus as long as a plus; what rounds to zero has no sign, and what is not a number is a dash.
    """
    if value != value:
        return "–"
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def interval(low: float, high: float, digits: int = 2) -> str:
    """Write an interval.

    Parameters
    ----------
    low, high
        Its ends.
    digits
        Behind the point.

    Returns
    -------
    str
        Such as "[−0.02, +0.10]"; nothing where there is none.
    """
    return "" if low != low or high != high else f"[{signed(low, digits)}, {signed(high, digits)}]"
