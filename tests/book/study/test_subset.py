"""The same study on fewer of its images and with another budget."""

import pytest
import torch

from metamerbook.study.study import first_of_each_category
from table_toys import images, toy_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("store"), references=images())


def test_subset_has_the_first_images_of_each_category(study):
    assert first_of_each_category(study.references, 2) == [0, 1, 2, 3]
    assert first_of_each_category(study.references, None) == list(range(6))
    small = study.subset(n_per_class=1, repetitions=1)
    assert torch.equal(small.references.images, study.references.images[:2])
    assert (small.settings.config.repetitions, small.store, small.zoo) == (1, study.store, study.zoo)
    assert study.subset(n_per_class=1, repetitions=1) is small
    assert small.scope().startswith("Computed on 2 images of 2 categories, with 1 repetition × 1 step per network; 5")


def test_subset_of_all_images_and_the_same_budget_computes_nothing_anew(study):
    assert study.subset(n_per_class=None).run("pair", "late").key == study.run("pair", "late").key
