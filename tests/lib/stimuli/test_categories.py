import re

from torchvision.models import ResNet18_Weights

from metamerlib.stimuli import CATEGORIES, SYNSETS


def test_sixteen_categories_in_alphabetical_order():
    assert len(CATEGORIES) == 16
    assert list(CATEGORIES) == sorted(set(CATEGORIES))
    assert tuple(SYNSETS) == CATEGORIES


def test_synsets_are_207_different_imagenet_classes():
    rows = [row for rows in SYNSETS.values() for row in rows]
    assert len(rows) == 207
    assert len({index for _, index in rows}) == 207
    assert all(re.fullmatch(r"n\d{8}", wnid) for wnid, _ in rows)
    # ILSVRC numbers its classes in the order of their WordNet ids, so the two columns check each other.
    ordered = sorted(rows)
    assert [index for _, index in ordered] == sorted(index for _, index in rows)
    assert ordered[-1][1] < 1000


def test_indices_mean_in_torchvision_what_the_categories_say():
    imagenet_names = ResNet18_Weights.IMAGENET1K_V1.meta["categories"]
    named_alike = {
        category: [imagenet_names[index] for _, index in rows if category in imagenet_names[index].lower()]
        for category, rows in SYNSETS.items()
    }
    assert set(named_alike["elephant"]) == {"Indian elephant", "African elephant"}
    assert {category for category, names in named_alike.items() if names} >= {
        "bear", "bicycle", "bottle", "car", "cat", "chair", "clock", "elephant", "keyboard", "truck",
    }  # fmt: skip
