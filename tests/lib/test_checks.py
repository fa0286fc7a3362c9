import os
import unicodedata

import pytest
import torch

from metamerlib import checks


def test_names_that_differ_in_their_unicode_form_alone_are_one():
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    with pytest.raises(ValueError, match=r"categories is .*none of them twice"):
        checks.names([composed, decomposed], "categories")


def test_a_path_may_have_any_bytes_but_no_name_too_long():
    assert os.fsencode(checks.file_path(os.fsdecode(b"caf\xe9"), "root")) == b"caf\xe9"
    with pytest.raises(ValueError, match=r"root is .*which is no path"):
        checks.file_path("é" * 200, "root")


@pytest.mark.parametrize("high", [1.0, 255.0])
def test_images_are_checked_against_the_value_of_white(high):
    images = torch.full((1, 3, 2, 2), high, dtype=torch.float64)
    assert checks.check_images(images, high=high, any_float=True) is images
    with pytest.raises(ValueError, match=rf"pictures has values from .* not in \[0, {high:g}\]"):
        checks.check_images(2 * images, "pictures", high=high, any_float=True)
    with pytest.raises(TypeError, match=r"give images.float\(\)"):
        checks.check_images(images, high=high)


@pytest.mark.parametrize("value", [0, 1, -0.5, 95])
def test_shares_lie_between_nothing_and_all(value):
    with pytest.raises(ValueError, match=r"confidence is .*: give a number above 0 and below 1"):
        checks.check_fraction(value, "confidence")
