"""Precision and compiler: they change how the passes are computed, and nothing else."""

import pytest
import torch
from torch import nn
from toy_models import Rectified, Smooth, Spy, random_images, wrap

from metamerlib.generation import GenerationConfig, Metamers, generate_metamers
from metamerlib.generation.precision import Arithmetic

CONFIG = GenerationConfig(repetitions=5, steps_per_model=2)
RUN = {"stage": "late", "config": CONFIG, "progress": False, "device": "cpu"}


class Types(nn.Module):
    """Notes in which type a convolution is computed."""

    def __init__(self):
        super().__init__()
        self.inner, self.seen = Smooth(), []

    def forward(self, images):
        output = self.inner(images)
        self.seen.append(output.dtype)
        return output


def eager(graph, **_):
    """Stand in for the compiler, which takes a minute: what it is given is run as it is."""
    return graph


def no_compiler(graph, **_):
    raise OSError("no compiler here\nand a long story")


def test_float32_is_what_it_is_without_a_word():
    plain = generate_metamers(random_images(), wrap(Smooth()), **RUN)
    spoken = generate_metamers(random_images(), wrap(Smooth()), precision="float32", compile=False, **RUN)
    assert torch.equal(plain.images, spoken.images)
    assert plain.precision == "float32"
    network = wrap(Smooth()).up_to("late")
    assert Arithmetic().forward(network, wrap(Smooth()), "tap", random_images()) is network


def test_only_the_passes_of_the_optimisation_are_bfloat16():
    model = wrap(Types())
    found = generate_metamers(random_images(), model, precision="bfloat16", **RUN)
    assert found.precision == "bfloat16"
    assert found.images.dtype == found.residuals.dtype == torch.float32
    # The references' activations first and the final residuals last; the diagnosis and ten updates between them.
    assert model.module.tap.seen == [torch.float32, *[torch.bfloat16] * 11, torch.float32]


def test_bfloat16_metamers_are_metamers_and_their_residuals_are_float32s():
    images, model = random_images(), wrap(Smooth())
    config = CONFIG.replace(repetitions=60)
    run = RUN | {"config": config}
    exact = generate_metamers(images, model, **run)
    rounded = generate_metamers(images, model, precision="bfloat16", **run)
    assert not torch.equal(exact.images, rounded.images)
    references, metamers = (model.activations(batch, "late").flatten(1) for batch in (images, rounded.images))
    expected = (metamers - references).norm(dim=1) / references.norm(dim=1)
    torch.testing.assert_close(rounded.residuals[:, 0], expected)
    assert (rounded.residuals < 0.1 * rounded.initial_residuals).all()


def test_the_relu_option_works_in_bfloat16():
    config = CONFIG.replace(relu_gradient="identity")
    run = RUN | {"precision": "bfloat16"}
    stock = generate_metamers(random_images(), wrap(Rectified()), **run)
    identity = generate_metamers(random_images(), wrap(Rectified()), **run | {"config": config})
    assert not torch.equal(stock.images, identity.images)


def test_a_precision_that_the_device_lacks_is_replaced_with_a_warning():
    with pytest.warns(RuntimeWarning, match="precision='tf32': TF32 is of NVIDIA cards since Ampere.* float32 is"):
        found = generate_metamers(random_images(), wrap(Smooth()), precision="tf32", **RUN)
    assert found.precision == "float32"
    assert torch.equal(found.images, generate_metamers(random_images(), wrap(Smooth()), **RUN).images)


@pytest.mark.parametrize("changes", [{"precision": "float16"}, {"compile": "yes"}])
def test_what_there_is_not_is_refused(changes):
    (name,) = changes
    with pytest.raises((ValueError, TypeError), match=f"{name}="):
        generate_metamers(random_images(), wrap(Smooth()), **RUN, **changes)


def test_the_rounding_of_float32_is_put_back():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    arithmetic = Arithmetic("bfloat16")
    with arithmetic.applied([wrap(Smooth())]), arithmetic.exactly():
        assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == ("highest", False)
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("batch_size", [None, 4])
def test_a_compiled_pass_is_the_same_pass(precision, batch_size, monkeypatch):
    monkeypatch.setattr(torch, "compile", eager)
    spy = Spy(Smooth(1))
    run = RUN | {"precision": precision, "batch_size": batch_size}
    images = random_images(6)
    compiled = generate_metamers(images, [wrap(Smooth(), "a"), wrap(spy, "b")], compile=True, **run)
    plain = generate_metamers(images, [wrap(Smooth(), "a"), wrap(Smooth(1), "b")], **run)
    torch.testing.assert_close(compiled.images, plain.images)
    torch.testing.assert_close(compiled.residuals, plain.residuals)
    # Parts of equal shape share a trace; besides it only references, initial and final residuals are run in Python.
    assert spy.calls == {None: 3, 4: 5}[batch_size]


def test_what_cannot_be_compiled_is_computed_without_and_the_reason_is_said(monkeypatch):
    monkeypatch.setattr(torch, "compile", no_compiler)
    with pytest.warns(
        RuntimeWarning, match="model 'toy' up to layer 'tap' could not be compiled.*OSError: no compiler"
    ):
        found = generate_metamers(random_images(), wrap(Smooth()), compile=True, **RUN)
    assert torch.equal(found.images, generate_metamers(random_images(), wrap(Smooth()), **RUN).images)


def test_the_relu_option_is_not_compiled_away():
    config = CONFIG.replace(relu_gradient="identity")
    with pytest.warns(RuntimeWarning, match="compile=True: .*nothing is compiled"):
        found = generate_metamers(random_images(), wrap(Rectified()), compile=True, **RUN | {"config": config})
    plain = generate_metamers(random_images(), wrap(Rectified()), **RUN | {"config": config})
    assert torch.equal(found.images, plain.images)


def test_the_precision_is_kept_with_the_metamers(tmp_path):
    found = generate_metamers(random_images(), wrap(Smooth()), precision="bfloat16", **RUN)
    assert Metamers.load(found.save(tmp_path / "m")).precision == "bfloat16"
    plain = generate_metamers(random_images(), wrap(Smooth()), **RUN)
    assert Metamers.load(plain.save(tmp_path / "p")).precision == "float32"


def test_a_checkpoint_belongs_to_a_precision(tmp_path):
    generate_metamers(random_images(), wrap(Smooth()), checkpoint=tmp_path / "c", **RUN)
    with pytest.raises(ValueError, match="precision is 'float32' there and 'bfloat16' here"):
        generate_metamers(random_images(), wrap(Smooth()), checkpoint=tmp_path / "c", precision="bfloat16", **RUN)
