"""Inversion stages: from a depth to the module whose output is matched (paper, section 4.4).

The paper taps each network at 20, 50 and 80 % of its total depth. Depth is counted here in the network's
sequential blocks (stem, residual block, transformer block, convolution of a plain network, hidden fully
connected layer), so that a stage never lands inside a block, on a side branch.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

from metamerlib.checks import near, shown

STAGES: dict[str, float] = {"early": 0.2, "middle": 0.5, "late": 0.8}
"""The paper's three inversion stages and their share of the total depth."""

Stage = str | float
"""A stage's name, a share of the depth in (0, 1], or the dotted name of a module."""


def block_at(blocks: Sequence[str], depth: float) -> str:
    """Return the block that ends at a share of the depth: number ⌈depth · n⌉ of the n blocks, counted from one."""
    if not 0 < depth <= 1:
        raise ValueError(f"stage is {shown(depth)}: give a share of the total depth above 0 and at most 1.")
    # limit_denominator: 0.2 · 5 must be block 1, though the float product is above 1 for some n.
    return blocks[math.ceil(Fraction(depth).limit_denominator(10_000) * len(blocks)) - 1]


def resolve_stage(stage: Stage, blocks: Sequence[str], module_names: Sequence[str], model: str) -> str:
    """Translate a stage into a module's dotted name; `model` is the network's name, for messages."""
    if isinstance(stage, bool) or not isinstance(stage, str | float | int):
        choices = ", ".join(STAGES)
        raise TypeError(f"stage is {shown(stage)}: give one of {choices}, a depth in (0, 1] or a module name.")
    if isinstance(stage, str) and stage not in STAGES:
        if stage and stage in module_names:
            return stage
        raise ValueError(
            f"stage {shown(stage)} does not exist in model {model!r}.{near(stage, [*STAGES, *module_names])} Give one "
            f"of {', '.join(STAGES)}, a depth in (0, 1], or a module's dotted name (`metamerlib layers` lists those of "
            "the zoo's models)."
        )
    if not blocks:
        raise ValueError(
            f"model {model!r} declares no blocks, so stage {stage!r} has no place in it: give blocks=[…] (dotted "
            f"module names, first to last) or a module's dotted name as the stage. Its modules begin with "
            f"{', '.join([n for n in module_names if n][:8])}."
        )
    return block_at(blocks, STAGES[stage] if isinstance(stage, str) else stage)
