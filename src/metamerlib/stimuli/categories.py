"""The sixteen categories and the ImageNet classes that belong to each of them."""

import csv
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType


def _read_synsets() -> dict[str, tuple[tuple[str, int], ...]]:
    synsets: dict[str, tuple[tuple[str, int], ...]] = {}
    with Path(__file__).with_name("synsets.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            synsets[row["category"]] = (*synsets.get(row["category"], ()), (row["wnid"], int(row["index"])))
    return synsets


# The mapping of Geirhos et al. (2018) names 231 WordNet synsets; 207 of them are classes of ILSVRC-1k.
SYNSETS: Mapping[str, tuple[tuple[str, int], ...]] = MappingProxyType(_read_synsets())
"""For each category its ImageNet classes, as pairs of WordNet id and ILSVRC-1k class index (0 to 999)."""

CATEGORIES: tuple[str, ...] = tuple(SYNSETS)
"""The sixteen entry-level categories, in alphabetical order; a label is an index into this tuple.

The paper's footnote to section 4.2 lists fifteen of them and leaves out *oven*, which the cited mapping contains.
"""
