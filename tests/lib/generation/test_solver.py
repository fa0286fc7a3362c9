import pytest
import torch
from torch import nn
from toy_models import (
    ConvolutionalStem,
    Function,
    Linear,
    Pixels,
    Rectified,
    Smooth,
    Spy,
    measurements,
    random_images,
    wrap,
)

import oracles
from metamerlib.generation import GenerationConfig, generate_metamers
from metamerlib.generation.batch import Batch
from metamerlib.generation.config import PRESETS
from metamerlib.generation.solver import Tap, ends_in_relu, recorded_repetitions
from metamerlib.models import Classifier

QUIET = {"progress": False, "device": "cpu"}
# Plain gradient descent on a quadratic: with a step this small it converges to the nearest point of the metamer set.
DESCENT = GenerationConfig(
    repetitions=40, loss="squared_inversion", gradient="raw", schedule="constant", learning_rate=1.0, projection="none"
)


def part_of(models, references, initial, config):
    taps = [Tap(model, model.layer("late"), references, config) for model in models]
    part = Batch(taps, references, initial, config, recorded_repetitions(config.repetitions, None))
    part.diagnose()
    return part


def solved(models, references, initial, config):
    part = part_of(models, references, initial, config)
    for _ in part.run():
        pass
    return part.result()


CASES = {
    "table 3": {},
    "joint": {"mode": "joint"},
    "sign": {"gradient": "sign", "learning_rate": 0.01},
    "raw": {"gradient": "raw", "learning_rate": 2.0},
    "linf": {"epsilon": 0.05},
    "l2": {"projection": "l2", "epsilon": 0.8},
    "halving": {"schedule": "halving"},
    "constant": {"schedule": "constant", "learning_rate": 0.05},
}


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_the_solver_equals_the_oracle_in_float64(changes):
    config = GenerationConfig(repetitions=6, steps_per_model=3).replace(**changes)
    models = [wrap(Smooth(0), "a", mean=(0.4, 0.5, 0.6)).double(), wrap(Smooth(1), "b", input_size=6).double()]
    references, initial = random_images(3).double(), random_images(3, seed=1).double()
    images = solved(models, references, initial, config)["images"]
    networks = [lambda image, model=model: model.activations(image, "late") for model in models]
    for i in range(3):
        expected = oracles.metamer(
            references[i],
            initial[i],
            networks,
            repetitions=6,
            steps=3,
            rate=config.learning_rate_at,
            gradient=config.gradient,
            ball=(config.projection, config.epsilon),
            joint=config.mode == "joint",
        )
        torch.testing.assert_close(images[i], torch.from_numpy(expected), rtol=0, atol=1e-9)


def test_a_linear_model_s_metamer_is_the_point_of_its_metamer_set_nearest_to_the_start():
    weight = measurements(10, 8).double()
    model = wrap(Linear(weight)).double()
    references, initial = (random_images(3, seed=seed, low=0.4, high=0.6).double() for seed in (0, 1))
    config = DESCENT.replace(repetitions=120, learning_rate=2.0)
    result = solved([model], references, initial, config)
    start, target = initial.flatten(1), references.flatten(1)
    nearest = start + (torch.linalg.pinv(weight) @ weight @ (target - start).T).T
    torch.testing.assert_close(result["images"].flatten(1), nearest, rtol=0, atol=1e-6)
    assert result["residuals"].max() < 1e-6


@pytest.mark.parametrize("mode", ["round_robin", "joint"])
@pytest.mark.parametrize("gradient", ["normalized", "raw"])
def test_what_the_models_do_not_see_stays_as_it_was(mode, gradient):
    weight = measurements(10, 8)
    models = [wrap(Linear(weight[:4]), "a"), wrap(Linear(weight[4:]), "b")]
    references, initial = (random_images(3, seed=seed, low=0.4, high=0.6) for seed in (0, 1))
    config = GenerationConfig(repetitions=10, gradient=gradient, learning_rate=0.1, mode=mode)
    images = generate_metamers(references, models, stage="late", config=config, initial=initial, **QUIET).images
    change = (images - initial).flatten(1)
    unseen = change - (torch.linalg.pinv(weight) @ weight @ change.T).T
    assert change.norm(dim=1).min() > 0.1
    assert unseen.abs().max() < 1e-5


@pytest.mark.parametrize("mode", ["round_robin", "joint"])
def test_an_ensemble_matches_the_pixels_that_either_of_its_models_sees(mode):
    models = [wrap(Pixels(slice(0, 3)), "left"), wrap(Pixels(slice(5, 8)), "right")]
    references = random_images(3)
    config = GenerationConfig(repetitions=30, mode=mode, final_learning_rate=1e-5)
    metamers = generate_metamers(references, models, stage="late", config=config, seed=1, **QUIET)
    assert metamers.residuals.max() < 1e-3
    assert (metamers.images - references)[..., [0, 1, 2, 5, 6, 7]].abs().max() < 1e-3
    assert (metamers.images - 0.5)[..., 3:5].abs().max() < 0.1  # the initial stimulus
    one = generate_metamers(references, models[0], stage="late", config=config, seed=1, **QUIET)
    assert torch.equal(one.images[..., 3:5], metamers.images[..., 3:5])
    assert (one.images - 0.5)[..., 5:].abs().max() < 0.1


def test_the_loss_goes_down_not_up():
    metamers = generate_metamers(
        random_images(6), [wrap(Smooth(0), "a"), wrap(Smooth(1), "b")], stage="late",
        config=GenerationConfig(repetitions=40), **QUIET,
    )  # fmt: skip
    assert (metamers.residuals < 0.05 * metamers.initial_residuals).all()


@pytest.mark.parametrize(
    "changes", [{}, {"mode": "joint"}, {"optimizer": "Adam", "learning_rate": 0.05}, PRESETS["fast"]]
)
def test_a_batch_gives_what_single_images_and_smaller_batches_give(changes):
    references, models = random_images(5), [wrap(Smooth(0), "a"), wrap(Smooth(1), "b", input_size=7)]
    run = {"stage": "late", "config": GenerationConfig(**changes).replace(repetitions=8), "seed": 5, **QUIET}
    whole = generate_metamers(references, models, **run)
    parts = generate_metamers(references, models, batch_size=2, **run)
    torch.testing.assert_close(parts.images, whole.images, rtol=0, atol=1e-5)
    torch.testing.assert_close(parts.residual_history, whole.residual_history, rtol=0, atol=1e-4)
    for i in range(5):
        single = generate_metamers(references[i : i + 1], models, index_offset=i, **run)
        torch.testing.assert_close(single.images[0], whole.images[i], rtol=0, atol=1e-5)


def test_the_gradient_of_a_single_image_is_right_behind_a_batch_norm():
    # PyTorch 2.15 on the CPU: wrong for a batch of one, when the gradient arrives with its channels last.
    model, references, initial = wrap(ConvolutionalStem()), random_images(1), random_images(1, seed=1)
    config = GenerationConfig(repetitions=1, steps_per_model=1, learning_rate=1e-2, gradient="raw")
    run = {"stage": "late", "config": config, "initial": initial, **QUIET}
    expected = oracles.metamer(
        references[0], initial[0],
        [lambda image: model.double().activations(image.repeat(2, 1, 1, 1), "late")[:1]],
        repetitions=1, steps=1, rate=config.learning_rate_at, gradient="raw",
    )  # fmt: skip
    found = generate_metamers(references, model.float(), **run).images[0]
    torch.testing.assert_close(found, torch.from_numpy(expected).float(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("preset", PRESETS)
def test_one_seed_gives_the_same_bytes_and_another_one_other_bytes(preset):
    def images(seed):
        run = {"stage": "late", "config": GenerationConfig(**PRESETS[preset]).replace(repetitions=5), **QUIET}
        return generate_metamers(random_images(3), wrap(Smooth()), seed=seed, **run).images

    assert torch.equal(images(1), images(1))
    assert not torch.equal(images(1), images(2))
    generators = [torch.Generator().manual_seed(9) for _ in range(2)]
    assert torch.equal(*(images(generator) for generator in generators))
    assert not torch.equal(images(generators[0]), images(torch.Generator().manual_seed(9)))  # it moves on


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_caller_s_gradient_mode_does_not_matter(context):
    model, config = wrap(Smooth()), GenerationConfig(repetitions=3, projection="l2", epsilon=1.0, center="reference")
    expected = generate_metamers(random_images(2), model, stage="late", config=config, **QUIET).images
    with context():
        found = generate_metamers(random_images(2), model, stage="late", config=config, **QUIET).images
        assert torch.equal(found, expected)
    assert not found.requires_grad


def test_weights_and_references_are_left_alone():
    model, references = wrap(Smooth()), random_images(2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    generate_metamers(references, model, stage="late", config=GenerationConfig(repetitions=3), **QUIET)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(not p.requires_grad and p.grad is None for p in model.parameters())
    assert torch.equal(references, random_images(2))


def test_a_network_put_into_training_mode_since_gives_the_same_metamers_and_its_mode_back():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout(), nn.Conv2d(4, 4, 3))
    model = Classifier(module, name="dropping", categories=("a", "b"), blocks=["0", "2"])
    run = {"stage": "late", "config": GenerationConfig(repetitions=3), **QUIET}
    expected = generate_metamers(random_images(2), model, **run).images
    module.train()
    assert torch.equal(generate_metamers(random_images(2), model, **run).images, expected)
    assert all(part.training for part in module)


@pytest.mark.parametrize("layout", ["channels_last", "transposed", "expanded", "requires_grad"])
def test_any_memory_layout_of_the_references_will_do(layout):
    references = random_images(2)
    strange = {
        "channels_last": references.to(memory_format=torch.channels_last),
        "transposed": references.transpose(2, 3).contiguous().transpose(2, 3),
        "expanded": references[:1].expand(2, 3, 8, 8),
        "requires_grad": references.clone().requires_grad_(),
    }[layout]
    run = {"stage": "late", "config": GenerationConfig(repetitions=3), **QUIET}
    plain = generate_metamers(strange.detach().clone(memory_format=torch.contiguous_format), wrap(Smooth()), **run)
    assert torch.equal(generate_metamers(strange, wrap(Smooth()), **run).images, plain.images)


def test_nothing_is_computed_that_is_not_needed():
    spies, heads = [Spy(Smooth(seed)) for seed in range(2)], [Spy(nn.Flatten()) for _ in range(2)]
    models = [wrap(spy, f"{i}", head=head) for i, (spy, head) in enumerate(zip(spies, heads, strict=True))]
    config = GenerationConfig(repetitions=5, steps_per_model=4)
    generate_metamers(random_images(6), models, stage="late", config=config, batch_size=3, record_every=1, **QUIET)
    # Two parts, each: the references once, the initial stimuli, one forward pass per update, the final residuals.
    assert [spy.calls for spy in spies] == [2 * (1 + 1 + 5 * 4 + 1)] * 2
    assert [head.calls for head in heads] == [0, 0]
    assert max(spy.most_alive for spy in spies) <= 2  # the reference's output, and at most the update's before


def test_the_tapped_module_is_looked_up_before_the_loop(monkeypatch):
    part = part_of([wrap(Smooth(0), "a")], random_images(2), random_images(2, seed=1), GenerationConfig(repetitions=5))

    def refuse(*args):
        raise AssertionError("the tapped module was looked up")

    monkeypatch.setattr(nn.Module, "get_submodule", refuse)
    monkeypatch.setattr(Classifier, "layer", refuse)
    assert list(part.run()) == [1, 2, 3, 4, 5]


def test_the_loop_never_waits_for_the_device(monkeypatch):
    models = [wrap(Smooth(0), "a"), wrap(Smooth(1), "b")]
    part = part_of(models, random_images(2), random_images(2, seed=1), GenerationConfig(repetitions=5))

    def refuse(*args):
        raise AssertionError("a value was read off the device")

    for name in ("item", "tolist", "cpu", "numpy", "__bool__", "__float__", "__int__", "__index__"):
        monkeypatch.setattr(torch.Tensor, name, refuse)
    assert list(part.run()) == [1, 2, 3, 4, 5]


def test_networks_of_other_input_sizes_and_normalisations_work_together():
    models = [
        wrap(Smooth(0), "small", input_size=5, mean=(0.5, 0.5, 0.5), std=(0.2, 0.3, 0.4)),
        wrap(Smooth(1), "large", input_size=13),
        wrap(Smooth(2), "any"),
    ]
    config = GenerationConfig(repetitions=40)
    metamers = generate_metamers(random_images(3, size=9), models, stage="late", config=config, **QUIET)
    assert metamers.images.shape == (3, 3, 9, 9)
    assert (metamers.residuals < 0.25 * metamers.initial_residuals).all()


def test_the_ball_holds_around_the_centre_that_was_named():
    references, initial = random_images(3), random_images(3, seed=1)
    config = GenerationConfig(repetitions=10, epsilon=8 / 255)
    run = {"stage": "late", "initial": initial, **QUIET}
    around_initial = generate_metamers(references, wrap(Smooth()), config=config, **run).images
    assert (around_initial - initial).abs().max() <= 8 / 255 + 1e-6
    around_reference = generate_metamers(
        references, wrap(Smooth()), config=config.replace(center="reference"), **run
    ).images
    assert (around_reference - references).abs().max() <= 8 / 255 + 1e-6


def test_starting_at_the_reference_stays_there():
    references = random_images(3)
    config = GenerationConfig(repetitions=3, initializer="reference")
    metamers = generate_metamers(references, wrap(Smooth()), stage="late", config=config, **QUIET)
    assert torch.equal(metamers.images, references)
    assert metamers.residuals.eq(0).all()
    assert metamers.skipped.eq(30).all()
    assert metamers.nonfinite.eq(0).all()


@pytest.mark.parametrize("inplace", [False, True])
def test_the_identity_relu_is_feather_s(inplace):
    class FakeRelu(torch.autograd.Function):
        @staticmethod
        def forward(ctx, values):
            return values.clamp(min=0)

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    fake = nn.Sequential(*list(Rectified())[:-1], Function(FakeRelu.apply))
    run = {"stage": "late", "config": GenerationConfig(repetitions=5), **QUIET}
    expected = generate_metamers(random_images(3), wrap(fake), **run).images
    identity = {**run, "config": run["config"].replace(relu_gradient="identity")}
    found = generate_metamers(random_images(3), wrap(Rectified(inplace=inplace)), **identity).images
    assert torch.equal(found, expected)
    assert not torch.equal(found, generate_metamers(random_images(3), wrap(Rectified(inplace=inplace)), **run).images)


def test_relus_are_recognised():
    values = random_images(1).requires_grad_()
    for relu in (torch.relu, nn.ReLU(), nn.functional.relu, torch.Tensor.relu, lambda x: (x + 0).relu_()):
        assert ends_in_relu(relu(values))
    for other in (torch.tanh, nn.GELU(), nn.ReLU6(), torch.clone, lambda x: x):
        assert not ends_in_relu(other(values))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_what_the_cpu_gives():
    models = [wrap(Smooth(0), "a"), wrap(Smooth(1), "b")]
    run = {"stage": "late", "config": GenerationConfig(repetitions=10), "progress": False}
    on_cpu = generate_metamers(random_images(3), models, device="cpu", **run)
    on_gpu = generate_metamers(random_images(3), models, device="auto", **run)
    assert on_gpu.images.device.type == "cpu"
    assert models[0].device.type == "cpu"
    torch.testing.assert_close(on_gpu.images, on_cpu.images, rtol=0, atol=1e-3)
