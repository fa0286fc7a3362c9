import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from metamerlib.stimuli import StimulusSet

CATEGORIES = ("cat", "dog", "elk")


def make(n=6, height=4, width=5):
    generator = torch.Generator().manual_seed(0)
    return StimulusSet(
        images=torch.rand(n, 3, height, width, generator=generator),
        labels=torch.arange(n) % len(CATEGORIES),
        categories=CATEGORIES,
        sources=tuple(f"{index}.png" for index in range(n)),
    )


def test_properties_describe_the_images():
    references = make(n=4, height=7, width=9)
    assert len(references) == 4
    assert references.size == (7, 9)
    assert references.category_names == ["cat", "dog", "elk", "cat"]
    assert "4 images of 7x9 px, 3 of 3 categories" in repr(references)


@given(index=st.one_of(st.integers(-6, 5), st.slices(6), st.lists(st.integers(-6, 5), min_size=1)))
def test_indexing_selects_what_it_selects_in_a_list(index):
    references = make(n=6)
    positions = list(range(6))
    if isinstance(index, slice):
        expected = positions[index]
    else:
        expected = [positions[i] for i in (index if isinstance(index, list) else [index])]
    if not expected:
        with pytest.raises(ValueError, match="at least one"):
            references[index]
        return
    chosen = references[index]
    assert chosen.sources == tuple(f"{position}.png" for position in expected)
    assert torch.equal(chosen.images, references.images[expected])
    assert torch.equal(chosen.labels, references.labels[expected])
    assert chosen.categories == references.categories


def test_indexing_takes_tensors_of_positions_and_masks():
    references = make()
    assert references[torch.tensor([2, 0])].sources == ("2.png", "0.png")
    assert references[references.labels == 1].category_names == ["dog", "dog"]


def test_iterating_gives_sets_of_one_and_ends():
    references = make(n=3)
    assert [one.sources for one in references] == [("0.png",), ("1.png",), ("2.png",)]
    with pytest.raises(IndexError):
        references[3]


def test_fingerprint_follows_content_only():
    references = make()
    assert len(references.fingerprint) == 64
    assert references[:].fingerprint == references.fingerprint
    assert dataclasses.replace(references, sources=("elsewhere",) * 6).fingerprint == references.fingerprint
    changed = references.images.clone()
    changed[-1, -1, -1, -1] = (changed[-1, -1, -1, -1] + 0.5) % 1
    others = [
        dataclasses.replace(references, images=changed),
        dataclasses.replace(references, images=references.images.transpose(2, 3)),
        dataclasses.replace(references, labels=references.labels.flip(0)),
        dataclasses.replace(references, categories=("cat", "dog", "eel")),
        references[:5],
    ]
    assert len({other.fingerprint for other in others} | {references.fingerprint}) == 6


@pytest.mark.parametrize(
    ("field", "value", "error", "message"),
    [
        ("images", torch.zeros(3, 4, 5), ValueError, r"images has shape \(3, 4, 5\), not \(N, 3, H, W\)"),
        ("images", torch.full((6, 3, 4, 5), 255.0), ValueError, r"images has values .* not in \[0, 1\].*255"),
        ("labels", torch.zeros(6), TypeError, "labels: expected an int64 torch.Tensor, got Tensor of torch.float32"),
        ("labels", [0] * 6, TypeError, "labels: expected an int64 torch.Tensor, got "),
        ("labels", torch.zeros(5, dtype=torch.int64), ValueError, r"labels: expected shape \(6,\)"),
        ("labels", torch.full((6,), 3), ValueError, "labels: expected indices 0 to 2"),
        ("labels", torch.full((6,), -1), ValueError, "labels: expected indices 0 to 2"),
        ("categories", ("cat", "cat", "dog"), ValueError, "categories is .*none of them twice"),
        ("categories", "cat", TypeError, "categories is 'cat': give a list"),
        ("sources", ("one.png",), ValueError, "sources: expected one per image, got 1 for 6"),
    ],
)
def test_wrong_parts_are_refused_at_the_door(field, value, error, message):
    with pytest.raises(error, match=message):
        dataclasses.replace(make(), **{field: value})


def test_category_names_of_numpy_and_of_another_unicode_form_are_the_same():
    given = dataclasses.replace(make(), categories=np.array(["caf\u0065\u0301", "dog", "elk"]))
    assert given.categories == ("caf\u00e9", "dog", "elk")
    assert given.fingerprint == dataclasses.replace(make(), categories=("caf\u00e9", "dog", "elk")).fingerprint
