"""Speed and memory of the solver beside a bare loop and beside other implementations: `python -m benchmarks --help`."""

BENCHMARKS: tuple[str, ...] = ("update", "memory", "peers", "presets", "precision")
"""The benchmarks in the order in which they run: modules of this package.

Each has a `NAME`, a docstring whose first line is the title of its table, and
``run(output: Path, quick: bool = False, device: str = "cpu") -> pandas.DataFrame``, which may leave pictures in the
folder. Rows that have a finite `bound` fail when their `ratio` is above it.
"""

ON_REQUEST: tuple[str, ...] = ("presets", "precision")
"""Those that run only if they are named: they take longer than all the others together."""
