import math
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import torch
from evaluation_toys import random_network, stimulus_set, textured_images
from test_image_metric_properties import Brightness

from metamerlib.evaluation import measure_images
from metamerlib.evaluation.image_metrics import METRICS, Backbone, psnr, tv


@pytest.fixture
def pair():
    return textured_images(3, 48, seed=1), textured_images(3, 48)


def test_every_metric_has_its_rows_in_the_order_of_table_1(pair):
    table = measure_images(*pair, backbone=random_network(), scorer=Brightness())
    assert table["metric"].drop_duplicates().tolist() == list(METRICS)
    assert table.columns.tolist() == (
        ["metric", "label", "image", "n", "value", "reference_value", "direction", "backbone", "reason"]
    )
    for metric in METRICS.values():
        rows = table[table["metric"] == metric.key]
        assert rows["image"].isna().tolist() == ([False] * 3 if metric.per_image else [True])
        assert set(rows["n"]) == {1 if metric.per_image else 3}
        assert set(rows["direction"]) == {metric.direction}
    assert table["value"].notna().all()
    assert (table["reason"] == "").all()


def test_the_values_are_those_of_the_metrics(pair):
    table = measure_images(*pair, metrics=["tv", "psnr"])
    assert table["metric"].tolist() == ["psnr"] * 3 + ["tv"] * 3  # Table 1's order, not the caller's
    assert table["value"].tolist() == pytest.approx([*psnr(*pair).tolist(), *tv(pair[0]).tolist()])
    assert table["reference_value"].tolist() == pytest.approx([math.inf] * 3 + tv(pair[1]).tolist())


def test_images_are_measured_some_at_a_time_with_the_same_values(pair, monkeypatch):
    images, references = pair
    whole = measure_images(images, references, backbone=random_network(), scorer=Brightness())
    monkeypatch.setattr(import_module("metamerlib.evaluation.image_metrics.table"), "_AT_ONCE", 2)
    parts = measure_images(images, references, backbone=random_network(), scorer=Brightness())
    pd.testing.assert_frame_equal(parts, whole, rtol=1e-9)


def test_a_learned_metric_is_named_after_its_network(pair):
    backbone = Backbone(random_network("resnet18"), label="mini ResNet-18")
    table = measure_images(*pair, metrics=["fid", "lpips", "clip_iqa"], backbone=backbone, scorer=Brightness())
    assert table["label"].unique().tolist() == ["FID · mini ResNet-18", "LPIPS · mini ResNet-18", "CLIP-IQA · toy"]
    assert table["backbone"].unique().tolist() == ["mini ResNet-18", "toy"]
    bare = measure_images(*pair, metrics=["fid", "psnr"], backbone=random_network("mine"))
    assert bare["label"].unique().tolist() == ["FID · mine", "PSNR (dB)"]
    assert bare["backbone"].isna().tolist() == [False, True, True, True]


def test_each_metric_can_have_its_own_network(pair):
    table = measure_images(*pair, metrics=["fid", "kid", "lpips"], backbone={"lpips": random_network("patches")})
    assert table.groupby("metric", sort=False)["label"].first().tolist() == ["FID", "KID", "LPIPS · patches"]
    assert table.loc[table["metric"] == "fid", "reason"].item() == "no network given: pass backbone="


def test_what_cannot_be_measured_is_visibly_absent_with_the_reason(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    images = textured_images(1, 32)
    table = measure_images(images, images, backbone="downloaded").set_index("metric")
    reasons = table["reason"]
    assert reasons["fid"] == "compares sets of images and needs at least two"
    assert reasons["vif"] == "needs images of 41 pixels or more, these have 32"
    assert "alexnet-owt-7be5be79.pth is not in" in reasons["lpips"]
    assert reasons["clip_iqa"] == "no image-text model given: pass scorer="
    absent = ["fid", "kid", "vif", "lpips", "clip_iqa"]
    assert table.loc[absent, ["value", "reference_value"]].isna().all(axis=None)
    assert table.drop(absent)["value"].notna().all()
    assert table.loc["lpips", "label"] == "LPIPS · AlexNet"
    two = measure_images(textured_images(2, 32), textured_images(2, 32), metrics=["fid"], backbone="downloaded")
    assert two["label"].item() == "FID · Inception-v3"
    assert "pt_inception" in two["reason"].item()


def test_a_value_that_is_not_a_number_says_why():
    images = textured_images(2, 32)
    images[0, :, :12, :12] = 0
    table = measure_images(images, images, metrics=["rase", "rase_corrected"])
    assert table["value"].isna().tolist() == [True, False, False, False]
    assert table["reason"].tolist() == ["a window of the reference is black", "", "", ""]
    table = measure_images(images.flip(3), images, metrics=["rase", "psnr"])
    assert np.isinf(table.loc[table["metric"] == "rase", "value"].iloc[0])
    assert table["reason"].tolist() == ["", "", "a window of the reference is black", ""]
    assert measure_images(images, images, metrics=["psnr"])["reason"].tolist() == ["", ""]  # infinite, and rightly so


def test_a_stimulus_set_does_for_references(pair):
    images, references = pair
    wrapped = stimulus_set(references, [0, 1, 2])
    pd.testing.assert_frame_equal(
        measure_images(images, wrapped, metrics=["ssim"]), measure_images(images, references, metrics=["ssim"])
    )


def test_an_unknown_metric_is_named_with_the_nearest(pair):
    with pytest.raises(ValueError, match=r"metrics='ssmi' is unknown.* Did you mean 'ssim'"):
        measure_images(*pair, metrics=["ssmi"])
    with pytest.raises(ValueError, match="one shape"):
        measure_images(pair[0][:2], pair[1])
    with pytest.raises(TypeError, match=r"images is a ndarray: give a torch.Tensor"):
        measure_images(torch.rand(2, 3, 8, 8).numpy(), pair[1])
