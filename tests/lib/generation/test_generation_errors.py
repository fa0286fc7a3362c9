"""The door: every foreseeable mistake is told with what to do about it; what cannot be used is counted."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from toy_models import ConvolutionalStem, Function, Pixels, Rectified, Smooth, random_images, wrap

from metamerlib.generation import GenerationConfig, UnusableModelError, generate_metamers
from metamerlib.models import Classifier
from metamerlib.models.device import models_on, resolve_device
from metamerlib.stimuli import StimulusSet

SHORT = GenerationConfig(repetitions=2, steps_per_model=3)


def generate(images=None, models=None, **changes):
    images = random_images() if images is None else images
    models = wrap(Smooth()) if models is None else models
    return generate_metamers(
        images, models, **{"stage": "late", "config": SHORT, "progress": False, "device": "cpu", **changes}
    )


IMAGES = random_images()
WITH_NAN = IMAGES.clone()
WITH_NAN[2, 0, 3, 3] = torch.nan


@pytest.mark.parametrize("argument", ["images", "initial"])
@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (IMAGES.numpy(), TypeError, "is a ndarray: give a torch.Tensor"),
        (StimulusSet(IMAGES, torch.zeros(4, dtype=torch.int64), ("a",), tuple("1234")), TypeError, "give its .images"),
        (IMAGES.double(), TypeError, r"torch.float64, not float32 in \[0, 1\]: give images.float\(\)\."),
        ((IMAGES * 255).byte(), TypeError, r"torch.uint8, not float32 in \[0, 1\]: give images.float\(\) / 255"),
        (IMAGES[0], ValueError, r"shape \(3, 8, 8\), not \(N, 3, H, W\). For a single image give \w+\[None\]"),
        (IMAGES.permute(0, 2, 3, 1), ValueError, r"give \w+.permute\(0, 3, 1, 2\)"),
        (IMAGES[:, :1], ValueError, r"\(4, 1, 8, 8\), not \(N, 3, H, W\)"),
        (IMAGES[:0], ValueError, "empty: give at least one image"),
        (WITH_NAN, ValueError, r"has NaN in image 2: leave those out"),
        (IMAGES * 255, ValueError, r"not in \[0, 1\]: divide by 255"),
        (IMAGES - 0.5, ValueError, "undo any normalisation"),
        (IMAGES * torch.inf, ValueError, r"has NaN|not in \[0, 1\]"),
    ],
)
def test_images_that_are_none_are_refused(argument, wrong, error, message):
    with pytest.raises(error, match=rf"^{argument} .*{message.replace('images.float', argument + '.float')}"):
        generate(**{argument: wrong})


def test_initial_stimuli_must_fit_the_images():
    with pytest.raises(ValueError, match=r"initial has shape \(3, 3, 8, 8\) and images \(4, 3, 8, 8\)"):
        generate(initial=IMAGES[:3])


@pytest.mark.parametrize(
    ("models", "error", "message"),
    [
        ([], ValueError, "models is empty"),
        (Smooth(), TypeError, "wrap it first: Classifier"),
        ([wrap(Smooth()), Smooth()], TypeError, "models holds a Smooth: wrap it first"),
        ("resnet18", TypeError, r"models holds a str: give the Classifier itself, as in zoo\['resnet18'\]"),
        ({"a": wrap(Smooth())}, TypeError, "models is {.*: give a list of Classifiers"),
        ([wrap(Smooth(0)), wrap(Smooth(1))], ValueError, "the name 'toy' more than once"),
        (
            [wrap(Smooth(0), "a"), wrap(Smooth(1), "b", categories=("cat", "mouse", "dog", "bird", "fish"))],
            ValueError,
            "'b', which answers in other categories than wanted: it lacks .* besides.*categories=\\(…\\)",
        ),
        (
            [wrap(Smooth(0), "a"), wrap(Smooth(1), "b", categories=("dog", "cat"))],
            ValueError,
            "the same categories in another order",
        ),
    ],
)
def test_ensembles_that_are_none_are_refused(models, error, message):
    with pytest.raises(error, match=message):
        generate(models=models)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"stage": "lat"}, ValueError, "Did you mean 'late'"),
        ({"stage": "tap.9"}, ValueError, "does not exist in model 'toy'"),
        ({"stage": 1.5}, ValueError, "depth"),
        ({"stage": None}, TypeError, "stage"),
        ({"config": {"repetitions": 3}}, TypeError, "config is a dict: give a GenerationConfig"),
        ({"seed": -1}, ValueError, "seed is -1: give at least 0"),
        ({"seed": 0.5}, TypeError, "seed is 0.5: give a whole number"),
        ({"seed": None}, TypeError, "seed is None"),
        ({"batch_size": 0}, ValueError, "batch_size is 0: give at least 1"),
        ({"batch_size": "all"}, TypeError, "batch_size='all'"),
        ({"record_every": 0}, ValueError, "record_every is 0"),
        ({"index_offset": -1}, ValueError, "index_offset is -1"),
        ({"device": "gpu"}, ValueError, "device='gpu' cannot be used: give 'auto' or one of"),
        ({"device": "cuda:99"}, ValueError, "device='cuda:99' cannot be used"),
        ({"checkpoint": "x.safetensors", "checkpoint_every": -1}, ValueError, "checkpoint_every=-1"),
        ({"checkpoint": ".", "checkpoint_every": 1}, ValueError, "is a folder: give the path of a file"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        generate(**changes)


def test_a_network_that_cannot_take_the_images_is_named():
    tap = nn.Conv2d(3, 2, 5)
    with pytest.raises(RuntimeError, match="size") as caught:
        generate(random_images(2, size=4), wrap(tap, "large kernel"))
    assert caught.value.__notes__ == ["This is model 'large kernel' up to layer 'tap', on 4 images of 4×4 px."]


def learned_constant():
    module = Function(lambda images: module.weight.expand(len(images), 5))
    module.weight = nn.Parameter(torch.ones(5))
    return module


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda images: torch.ones(len(images), 5), "ignores the image: no gradient leads from it"),
        (lambda images: images.detach() * 2, "ignores the image: no gradient"),
        (lambda images: images[:, :, :1] * 0 + 3, "ignores the image: its activations are the same"),
        (lambda images: images.flatten(1).argsort(1), "returns torch.int64, of which no real loss"),
        (lambda images: (images * 9).round(), "no gradient reaches the pixels .* exactly zero for every image"),
        (lambda images: images * torch.nan, "not finite for any image: it returns NaN or infinity"),
        (lambda images: torch.relu(images - 2), "not finite for any image: its activations to the references are all"),
        (lambda images: (images.clamp(min=1) - 1 + (images - images.detach()) / 0).nan_to_num() + images.sum() * 0 + 1
            + (images - images.detach()).sqrt(), "the gradient at .* is not finite for any image"),
    ],
    ids=["constant", "detached", "times zero", "ranks", "rounded", "NaN", "silent", "infinite slope"],
)  # fmt: skip
@pytest.mark.parametrize("batch_size", [None, 1])
def test_a_model_that_cannot_be_inverted_is_an_error(function, message, batch_size):
    models = [wrap(Smooth(), "good"), wrap(Function(function), "bad")]
    with pytest.raises(ValueError, match=f"layer 'tap' of model 'bad'.*{message}|{message}"):
        generate(models=models, batch_size=batch_size)


def test_a_layer_that_is_silent_at_the_start_is_woken_by_another_model():
    asleep = wrap(Function(lambda x: (x - 0.6).relu()), "asleep")
    images, grey = random_images(low=0.7), torch.full_like(random_images(), 0.5)
    with pytest.raises(UnusableModelError, match="model 'asleep': it is exactly zero for every image"):
        generate(images, asleep, initial=grey)
    both = generate(images, [asleep, wrap(Pixels(slice(None)), "pixels")], initial=grey)
    assert both.skipped[:, 0].tolist() == [3] * len(images)
    assert (both.residuals[:, 0] < both.initial_residuals[:, 0]).all()


def test_a_frozen_parameter_alone_is_no_activation():
    with pytest.raises(ValueError, match="ignores the image"):
        generate(models=wrap(learned_constant()))


def nan_above(threshold, then=torch.nan):
    """A network that gives NaN for images above a mean brightness."""
    smooth = Smooth()

    def function(images):
        bright = images.mean(dim=(1, 2, 3)) > threshold
        return torch.where(bright[:, None, None, None], torch.full_like(smooth(images), then), smooth(images))

    module = Function(function)
    module.inner = smooth
    return module


@pytest.mark.parametrize("batch_size", [None, 1, 3])
@pytest.mark.parametrize("mode", ["round_robin", "joint"])
@pytest.mark.parametrize("then", [torch.nan, torch.inf])
def test_a_non_finite_loss_is_counted_for_its_image_and_touches_no_other(batch_size, mode, then):
    images = random_images(5, high=0.8)
    images[[0, 3]] += 0.2  # too bright for the second model
    initial = images * 0.9
    images = images.clamp(max=1)
    threshold = (images.mean(dim=(1, 2, 3))[[0, 3]].min() + images.mean(dim=(1, 2, 3))[[1, 2, 4]].max()) / 2
    models = [wrap(Smooth(1), "fine"), wrap(nan_above(threshold.item(), then), "moody")]
    run = {"initial": initial, "config": SHORT.replace(mode=mode, learning_rate=0.01)}
    with pytest.warns(RuntimeWarning, match=r"2 of 5 images \(index 0, 3\) had a loss .* from model 'moody'"):
        metamers = generate(images, models, batch_size=batch_size, **run)
    assert metamers.nonfinite.tolist() == [[0, 6], [0, 0], [0, 0], [0, 6], [0, 0]]
    assert torch.equal(metamers.skipped, metamers.nonfinite)
    assert metamers.images.isfinite().all()
    assert metamers.residuals[[0, 3], 1].isfinite().logical_not().all()
    assert not metamers.history.residual.isna().any()
    # The others are as if the bright ones had not been there, and the bright ones as if the moody model had not.
    dim = [1, 2, 4]
    alone = generate(images[dim], models, **{**run, "initial": initial[dim]})
    torch.testing.assert_close(metamers.images[dim], alone.images, rtol=0, atol=1e-5)
    if mode == "joint":
        without = generate(images, models[0], **run)
        torch.testing.assert_close(metamers.images[[0, 3]], without.images[[0, 3]], rtol=0, atol=1e-5)


def test_images_without_any_gradient_are_reported():
    """Pixels that are clamped from below have no gradient where the initial stimulus is dark."""
    images, initial = random_images(4, low=0.6), torch.full((4, 3, 8, 8), 0.7)
    initial[2] = 0.1
    model = wrap(Function(lambda x: x.clamp(min=0.5)), "clamped")
    with pytest.warns(RuntimeWarning, match=r"1 of 4 images \(index 2\) had no gradient in any update"):
        metamers = generate(images, model, initial=initial)
    assert metamers.skipped.flatten().tolist() == [0, 0, 6, 0]
    assert metamers.nonfinite.sum() == 0
    assert torch.equal(metamers.images[2], initial[2])


def test_a_finished_metamer_as_the_initial_stimulus_is_no_error():
    """Its gradient is zero like that of a layer that ignores the image, but the layer does not."""
    images = random_images()
    initial = images.clone()
    initial[..., 4:] = 0.5
    metamers = generate(images, wrap(Pixels(slice(0, 4))), initial=initial)
    assert torch.equal(metamers.images, initial)
    assert metamers.residuals.eq(0).all()


def test_the_identity_relu_needs_a_relu():
    identity = SHORT.replace(relu_gradient="identity")
    with pytest.raises(ValueError, match=r"would change nothing: no tapped layer \(tap of toy\) ends in a ReLU"):
        generate(models=wrap(Smooth()), config=identity)
    mixed = generate(models=[wrap(Smooth(), "smooth"), wrap(Rectified(), "rectified")], config=identity)
    assert mixed.residuals.isfinite().all()


def test_auto_takes_the_best_device_there_is(monkeypatch):
    for cuda, mps, expected in ((True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda answer=cuda: answer)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda answer=mps: answer)
        assert resolve_device("auto").type == expected


def test_a_network_is_given_back_as_it_was_even_after_an_error():
    model = wrap(ConvolutionalStem())
    model.module.tap.mix.weight.requires_grad_(True)
    model.module.tap.norm.train()

    def state():
        tensors = [*model.parameters(), *model.buffers()]
        places = [(id(t), t.data_ptr(), t.device, t.dtype, t.stride(), t.requires_grad) for t in tensors]
        return places, [(module.training, len(module._forward_hooks)) for module in model.modules()]

    before = state()

    def give_up(batch):
        model.double().eval().requires_grad_(False)
        raise KeyboardInterrupt

    with models_on([model], torch.device("meta")):
        assert model.module.tap.mix.weight.is_meta
    assert state() == before
    with pytest.raises(KeyboardInterrupt):
        generate(models=model, watch=give_up)
    assert state() == before


def test_a_caller_s_autocast_and_default_type_change_nothing():
    model = wrap(Smooth())
    expected = generate(models=model)
    with torch.autocast("cpu", torch.bfloat16):
        found = generate(models=model)
    assert torch.equal(found.images, expected.images)
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)
        found = generate(IMAGES, model)
    finally:
        torch.set_default_dtype(before)
    assert torch.equal(found.images, expected.images)
    assert found.residual_history.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_networks_of_another_type_work_and_keep_it(dtype):
    model = wrap(Smooth().to(dtype))
    found = generate(models=model)
    assert found.images.dtype == torch.float32
    assert (found.residuals < found.initial_residuals).all()
    assert {weight.dtype for weight in model.parameters()} == {dtype}


@pytest.mark.parametrize(
    ("tap", "message"),
    [
        (nn.BatchNorm2d(3, track_running_stats=False), r"'tap' \(BatchNorm2d\) has no running statistics"),
        (Function(functional.dropout), "draws random numbers"),
        (Function(lambda images: images - images.mean(dim=0)), "mixes the images of a batch"),
    ],
)
def test_networks_that_couple_images_or_draw_are_refused_by_name(tap, message):
    network = nn.Sequential(tap, nn.Flatten())
    model = Classifier(network, name="odd", categories=("cat", "dog"), blocks=["0"])
    with pytest.raises(ValueError, match=f"model 'odd' .*{message.replace('tap', '0')}"):
        generate(models=model)


def test_only_what_lies_below_the_tapped_layer_must_keep_images_apart():
    head = nn.Sequential(nn.BatchNorm2d(6, track_running_stats=False), nn.Flatten(), nn.Linear(1, 1))
    network = nn.Sequential(Smooth(), head)  # whose head takes images of another size, too
    model = Classifier(network, name="odd", categories=("cat", "dog"), blocks=["0", "1"])
    assert generate(models=model, stage="0").residuals.isfinite().all()


def test_a_caller_s_default_device_changes_nothing(tmp_path):
    model, images = wrap(Smooth()), random_images()
    for config in (SHORT, GenerationConfig.fast(repetitions=2)):
        expected = generate(images, model, config=config)
        with torch.device("meta"):
            found = generate(images, model, config=config, checkpoint=tmp_path / config.optimizer)
            assert torch.equal(found[1:].images, expected.images[1:])
            assert found.history.equals(expected.history)


def test_complex_activations_are_refused_by_name():
    with pytest.raises(ValueError, match=r"layer 'tap' of model 'toy' returns torch.complex64, of which no real loss"):
        generate(models=wrap(Function(torch.fft.rfft2)))
