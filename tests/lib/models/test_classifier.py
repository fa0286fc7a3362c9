"""The wrapper: normalisation, stages, truncated forward passes and its errors."""

import copy
import math
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from metamerlib.models import STAGES, Classifier
from metamerlib.models.stages import block_at


class Counting(nn.Module):
    """A chain of layers that counts how often each is run."""

    def __init__(self, depth=5, classes=3):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(3, 3, 3, padding=1) for _ in range(depth))
        self.unused = nn.Linear(2, 2)
        self.head = nn.Linear(3, classes)
        self.runs = [0] * depth

    def forward(self, images):
        for index, layer in enumerate(self.layers):
            self.runs[index] += 1
            images = torch.tanh(layer(images))
        return self.head(images.mean(dim=(2, 3)))


@pytest.fixture
def images():
    return torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def wrap(module, **options):
    options = {"name": "toy", "categories": ("a", "b", "c")} | options
    return Classifier(module, **options)


def test_forward_normalises_and_nothing_else(images):
    module = Counting()
    mean, std = (0.1, 0.5, 0.9), (0.2, 0.3, 0.4)
    expected = module((images - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1))
    torch.testing.assert_close(wrap(module, mean=mean, std=std)(images), expected)


def test_activations_equal_a_full_forward_pass_and_stop_at_the_tap(images):
    module = Counting()
    classifier = wrap(module, blocks=[f"layers.{i}" for i in range(5)])
    expected = images
    for layer in module.layers[:3]:
        expected = torch.tanh(layer(expected)) if layer is not module.layers[2] else layer(expected)
    torch.testing.assert_close(classifier.activations(images, "middle"), expected)
    assert module.runs == [1, 1, 1, 0, 0]


def test_activations_are_differentiable_in_the_images_alone(images):
    classifier = wrap(Counting(), blocks=["layers.0", "layers.1"])
    images.requires_grad_(True)
    (gradient,) = torch.autograd.grad(classifier.activations(images, "late").square().sum(), images)
    assert gradient.abs().sum() > 0
    assert not any(p.requires_grad for p in classifier.parameters())


def test_a_network_cut_once_equals_one_that_is_cut_at_each_pass(images):
    module = Counting()
    classifier = wrap(module, blocks=["layers.0", "layers.1"])
    network = classifier.up_to("late")
    assert torch.equal(network(images), classifier.activations(images, "late"))
    assert module.runs == [2, 2, 0, 0, 0]
    assert classifier(images).shape == (4, 3)  # whole again


def test_a_failing_tap_leaves_no_hook_behind(images):
    module = Counting()
    classifier = wrap(module)
    with pytest.raises(ValueError, match="never reaches 'unused'"):
        classifier.activations(images, "unused")
    with pytest.raises(ValueError, match="does not exist"):
        classifier.activations(images, "layers.9")
    assert classifier(images).shape == (4, 3)


@pytest.mark.parametrize(
    ("count", "early", "middle", "late"), [(5, 1, 3, 4), (9, 2, 5, 8), (10, 2, 5, 8), (1, 1, 1, 1)]
)
def test_stage_is_the_block_at_that_share_of_the_depth(count, early, middle, late):
    blocks = [str(i + 1) for i in range(count)]
    assert [block_at(blocks, STAGES[s]) for s in ("early", "middle", "late")] == [str(early), str(middle), str(late)]


@pytest.mark.parametrize("count", range(1, 60))
def test_depths_follow_the_ceiling_in_exact_arithmetic(count):
    blocks = list(range(1, count + 1))
    for tenths in range(1, 11):
        assert block_at(blocks, tenths / 10) == -(-tenths * count // 10)


def test_late_is_deeper_than_middle_than_early():
    classifier = wrap(Counting(), blocks=[f"layers.{i}" for i in range(5)])
    assert [classifier.layer(stage) for stage in STAGES] == ["layers.0", "layers.2", "layers.3"]
    assert classifier.layer(1.0) == "layers.4"
    assert classifier.layer("head") == "head"


def test_sixteen_way_decision_takes_the_highest_logit_of_each_category(images):
    module = nn.Sequential(nn.Flatten(), nn.Linear(192, 7))
    groups = [[0, 3], [1], [2, 4, 6]]
    classifier = wrap(module, outputs_of_category=groups)
    raw = module(images)
    expected = torch.stack([raw[:, group].max(dim=1).values for group in groups], dim=1)
    torch.testing.assert_close(classifier(images), expected)


def test_images_are_resized_to_the_networks_input(images):
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 3))
    assert wrap(module, input_size=16)(images).shape == (4, 3)
    constant = torch.full((1, 3, 8, 8), 0.3)
    seen = []
    module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    wrap(module, input_size=16)(constant)
    torch.testing.assert_close(seen[-1], torch.full((1, 3, 16, 16), 0.3))


def test_predict_in_batches_equals_predict_at_once(images):
    classifier = wrap(Counting())
    assert torch.equal(classifier.predict(images, batch_size=3), classifier(images).argmax(dim=1))
    assert classifier.predict(images[:0]).shape == (0,)


def test_stays_in_evaluation_mode():
    classifier = wrap(nn.Sequential(nn.Dropout(0.5)))
    assert not classifier.module.training
    with pytest.raises(ValueError, match="cannot be trained"):
        classifier.train()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean": (0.5, 0.5)}, "mean"),
        ({"std": (1.0, 0.0, 1.0)}, "std"),
        ({"blocks": ["layers.0", "layers.8"]}, r"layers\.8"),
        ({"categories": ("a", "a")}, "categories"),
        ({"categories": ()}, "categories"),
        ({"input_size": 0}, "input_size"),
        ({"outputs_of_category": [[0], [1]]}, "outputs_of_category"),
        ({"outputs_of_category": [[0], [1], []]}, "empty"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        wrap(Counting(), **options)


@pytest.mark.parametrize(
    "bad",
    [torch.rand(3, 8, 8), torch.rand(1, 1, 8, 8), torch.zeros(1, 3, 8, 8, dtype=torch.uint8)],
    ids=["no batch", "grey", "uint8"],
)
def test_bad_images_are_named(bad):
    with pytest.raises(ValueError, match=r"floating point \(N, 3, H, W\)"):
        wrap(Counting())(bad)


@pytest.mark.parametrize("stage", ["lat", 0.0, 1.5, math.nan, -1])
def test_stages_that_do_not_exist(stage):
    with pytest.raises(ValueError, match=r"stage|depth"):
        wrap(Counting(), blocks=["layers.0"]).layer(stage)


def test_a_misspelt_stage_gets_a_hint():
    with pytest.raises(ValueError, match="Did you mean 'late'"):
        wrap(Counting(), blocks=["layers.0"]).layer("lat")


def test_a_depth_without_blocks_names_the_remedy():
    with pytest.raises(ValueError, match=r"give blocks=\[…\]"):
        wrap(Counting()).layer("late")


def test_wrong_number_of_outputs_is_named(images):
    with pytest.raises(ValueError, match="3 categories"):
        wrap(Counting(classes=5))(images)


def test_module_must_be_a_module():
    with pytest.raises(TypeError, match=r"torch\.nn\.Module"):
        wrap(lambda images: images)


class Net(nn.Module):
    """A small network as users write them."""

    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.fc = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(4, 3)

    def forward(self, images):
        return self.fc(self.c2(self.c1(images).relu()).relu().mean((2, 3)))


def test_the_device_is_that_of_the_module():
    classifier = wrap(Net().to("meta"), blocks=["c1", "c2"])
    assert classifier.device.type == "meta"
    assert classifier(torch.rand(2, 3, 8, 8, device="meta")).shape == (2, 3)
    moved = wrap(Net())
    moved.module.to("meta")
    assert moved.device.type == "meta"
    assert moved.activations(torch.rand(2, 3, 8, 8, device="meta"), "c2").device.type == "meta"


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_images_are_cast_to_the_type_of_the_network_and_answers_back(images, dtype):
    torch.manual_seed(0)
    network = Net()
    expected = wrap(copy.deepcopy(network))(images)
    classifier = wrap(network.to(dtype), blocks=["c1", "c2"])
    assert classifier.dtype == dtype
    torch.testing.assert_close(classifier(images), expected, atol=0.02, rtol=0.02)
    images.requires_grad_(True)
    activations = classifier.activations(images, "late")
    (gradient,) = torch.autograd.grad(activations.sum(), images)
    assert activations.dtype == gradient.dtype == torch.float32


def test_another_default_type_changes_nothing(images):
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(0)
        classifier = wrap(Net(), mean=(0.5, 0.5, 0.5))
        assert classifier(images).dtype == torch.float32
        assert classifier.predict(images).shape == (4,)
    finally:
        torch.set_default_dtype(torch.float32)


def test_networks_built_in_inference_mode_have_gradients(images):
    with torch.inference_mode():
        network = Net()
        network.c2.weight = nn.Parameter(torch.rand(4, 4, 3, 3), False)
        classifier = wrap(network, blocks=["c1", "c2"])
    images.requires_grad_(True)
    (gradient,) = torch.autograd.grad(classifier.activations(images, "late").square().sum(), images)
    assert gradient.abs().sum() > 0


class Returning(Net):
    def __init__(self, make):
        super().__init__()
        self.make = make

    def forward(self, images):
        return self.make(super().forward(images))


class Output(NamedTuple):
    loss: object
    hidden: torch.Tensor
    logits: torch.Tensor


@pytest.mark.parametrize(
    "make",
    [
        lambda logits: (logits, None),
        lambda logits: [None, logits],
        lambda logits: {"hidden": torch.zeros(1), "logits": logits},
        lambda logits: {"out": logits},
        lambda logits: Output(None, torch.zeros(1), logits),
        lambda logits: SimpleNamespace(hidden=torch.zeros(1), logits=logits),
    ],
)
def test_logits_are_found_in_what_forward_returns(images, make):
    assert torch.equal(wrap(network := Returning(make)).predict(images), Net.forward(network, images).argmax(1))


def test_a_forward_without_a_tensor_is_refused_by_name(images):
    with pytest.raises(ValueError, match=r"'toy' returns a dict"):
        wrap(Returning(lambda logits: {"a": 1})).predict(images)


def test_outputs_past_the_last_and_single_outputs_are_refused(images):
    with pytest.raises(ValueError, match="names output 7"):
        wrap(Net(), outputs_of_category=[[0], [1], [7]]).predict(images)
    with pytest.raises(ValueError, match="single output"):
        wrap(Returning(lambda logits: logits[:, :1]), categories=("a",)).predict(images)


def test_normalisation_for_bytes_is_refused_and_arrays_are_taken():
    with pytest.raises(ValueError, match=r"pixels of 0 to 255.*0\.485"):
        wrap(Net(), mean=(123.675, 116.28, 103.53))
    with pytest.raises(ValueError, match="std is"):
        wrap(Net(), std=[58.395, 57.12, 57.375])
    for values in (
        np.array([0.1, 0.2, 0.3]),
        torch.tensor([0.1, 0.2, 0.3]),
        np.float32([0.1, 0.2, 0.3]).reshape(3, 1, 1),
    ):
        assert wrap(Net(), mean=values).mean == pytest.approx((0.1, 0.2, 0.3))


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Conv2d(3, 3, 3, padding=1)] * 4)
        self.fc = nn.Linear(3, 3)

    def forward(self, images):
        for block in self.blocks:
            images = block(images).tanh()
        return self.fc(images.mean((2, 3)))


def test_a_block_at_several_places_is_tapped_at_the_one_that_is_named(images):
    network = Shared()
    classifier = wrap(network, blocks=[f"blocks.{index}" for index in range(4)])
    expected = images
    for _ in range(3):
        expected = network.blocks[0](expected.tanh() if expected is not images else images)
    torch.testing.assert_close(classifier.activations(images, "blocks.2"), expected)
    assert not torch.equal(classifier.activations(images, "blocks.3"), expected)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_scripted_and_exported_modules_are_named_as_such(images):
    scripted = wrap(torch.jit.script(Net()), blocks=["c1", "c2"])
    assert scripted.predict(images).shape == (4,)
    with pytest.raises(ValueError, match="scripted from"):
        scripted.activations(images, "late")
    with pytest.raises(TypeError, match="exported from"):
        wrap(torch.export.export(Net().eval(), (images,)).module())


def test_gradient_checkpointing_keeps_the_gradient(images):
    class Checkpointed(Net):
        def forward(self, images):
            return checkpoint(super().forward, images, use_reentrant=False)

    images.requires_grad_(True)
    network = Checkpointed()
    (gradient,) = torch.autograd.grad(wrap(network).activations(images, "c2").sum(), images)
    (expected,) = torch.autograd.grad(network.c2(network.c1(images).relu()).sum(), images)
    torch.testing.assert_close(gradient, expected)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_scripted_block_is_named_as_such(images):
    network = Net()
    network.c2 = torch.jit.script(network.c2)
    classifier = wrap(network, blocks=["c1", "c2"])
    assert classifier.activations(images, "c1").shape == (4, 4, 6, 6)
    with pytest.raises(ValueError, match=r"'toy' is scripted at 'c2'"):
        classifier.activations(images, "c2")


def test_lazy_layers_without_weights_are_refused():
    with pytest.raises(ValueError, match=r"'toy' has lazy layers"):
        wrap(nn.Sequential(nn.Flatten(), nn.LazyLinear(3)))


def test_infinite_logits_are_no_answers_but_excluded_outputs_are(images):
    excluded = torch.tensor([0.0, -torch.inf, 0.0])
    assert (wrap(Returning(lambda logits: logits + excluded)).predict(images) != 1).all()
    with pytest.raises(ValueError, match=r"'toy' returns NaN or infinity for 4 of 4"):
        wrap(Returning(lambda logits: (logits.abs() + 1) * 1e39)).predict(images)


def test_a_callers_autocast_changes_no_answer(images):
    classifier = wrap(Net())
    expected = classifier(images)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(classifier(images), expected)


def test_names_in_another_unicode_form_or_type_of_text_are_the_same():
    decomposed = wrap(Net(), name="e\u0301", categories=np.array(["e\u0301", "b", "c"]))
    assert (decomposed.name, decomposed.categories) == ("\u00e9", ("\u00e9", "b", "c"))
    assert type(decomposed.categories[1]) is str
