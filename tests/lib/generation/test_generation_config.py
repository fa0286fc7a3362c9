import json
import pickle

import pytest

from metamerlib.generation import GenerationConfig
from metamerlib.generation.config import _CHOICES
from metamerlib.generation.steps import OPTIMIZERS


def test_defaults_are_table_3():
    config = GenerationConfig()
    assert config.updates_per_model == 40_000  # "40000 (10 per model, 4000 repetitions)"
    assert (config.repetitions, config.steps_per_model, config.mode) == (4000, 10, "round_robin")
    assert (config.initializer, config.initializer_radius, config.initializer_constant) == ("l1_ball", 0.1, 0.5)
    assert (config.schedule, config.learning_rate, config.final_learning_rate) == ("exponential", 1.0, 0.005)
    assert (config.loss, config.optimizer, dict(config.optimizer_options)) == ("inversion", "SGD", {})
    # Readings 3, 7 and 8.
    assert (config.gradient, config.projection, config.epsilon, config.center) == ("normalized", "linf", 1e4, "initial")
    assert config.relu_gradient == "stock"


VARIED = GenerationConfig(
    repetitions=7, optimizer="Adam", optimizer_options={"betas": [0.8, 0.9], "amsgrad": True}, epsilon=8 / 255
)


@pytest.mark.parametrize("config", [GenerationConfig(), VARIED])
def test_a_config_survives_json_and_pickle(config):
    again = GenerationConfig.from_dict(json.loads(json.dumps(config.to_dict(), allow_nan=False)))
    assert again == config
    assert hash(again) == hash(config)
    assert repr(again) == repr(config)
    assert pickle.loads(pickle.dumps(config)) == config


def test_the_repr_shows_every_hyper_parameter_and_rebuilds_the_config():
    assert eval(repr(VARIED)) == VARIED
    for name in VARIED.to_dict():
        assert f"{name}=" in repr(VARIED)


def test_from_dict_keeps_defaults_for_what_is_left_out():
    assert GenerationConfig.from_dict({"epsilon": 0.3}) == GenerationConfig().replace(epsilon=0.3)


def test_numbers_are_equal_however_they_are_written():
    assert GenerationConfig(epsilon=1) == GenerationConfig(epsilon=1.0)
    assert repr(GenerationConfig(epsilon=1)) == repr(GenerationConfig(epsilon=1.0))


def test_options_are_a_copy():
    options = {"momentum": 0.9}
    config = GenerationConfig(optimizer_options=options)
    options["momentum"] = 0.1
    assert config.optimizer_options == {"momentum": 0.9}


@pytest.mark.parametrize("field", _CHOICES)
def test_an_unknown_choice_is_refused_with_the_nearest_one(field):
    right = getattr(GenerationConfig(), field)
    with pytest.raises(ValueError, match=rf"{field}='{right}x' is unknown.*Did you mean '{right}'"):
        GenerationConfig(**{field: right + "x"})
    with pytest.raises(ValueError, match=f"{field}=None is unknown"):
        GenerationConfig(**{field: None})


@pytest.mark.parametrize("build", [GenerationConfig.from_dict, lambda values: GenerationConfig().replace(**values)])
def test_an_unknown_field_is_refused_with_the_nearest_one(build):
    with pytest.raises(ValueError, match=r"no field 'repetition'. Did you mean 'repetitions'"):
        build({"repetition": 3})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("repetitions", 0, "repetitions is 0: give at least 1"),
        ("repetitions", -3, "at least 1"),
        ("steps_per_model", 0, "steps_per_model is 0: give at least 1"),
        ("learning_rate", 0, "learning_rate is 0: give a number above 0"),
        ("learning_rate", float("nan"), "finite"),
        ("final_learning_rate", -0.1, "above 0"),
        ("epsilon", 0, "above 0"),
        ("epsilon", float("inf"), "finite"),
        ("initializer_radius", -1, "of at least 0"),
        ("initializer_constant", 1.5, "of at least 0 and of at most 1"),
        ("initializer_mix", -0.5, "of at least 0 and of at most 1"),
        ("fourier_exponent", -1, "of at least 0 and of at most 4"),
    ],
)
def test_numbers_out_of_range_are_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        GenerationConfig(**{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("repetitions", 10.0),
        ("repetitions", True),
        ("repetitions", "10"),
        ("fourier_exponent", "steep"),
        ("steps_per_model", None),
        ("learning_rate", "1"),
        ("epsilon", None),
        ("optimizer_options", [("momentum", 0.9)]),
        ("optimizer_options", {"momentum": object()}),
        ("optimizer_options", {1: 2}),
    ],
)
def test_values_of_another_type_are_refused(field, value):
    with pytest.raises(TypeError, match=f"^{field}"):
        GenerationConfig(**{field: value})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "adam"}, "optimizer='adam' is unknown.*Did you mean 'Adam'"),
        ({"optimizer": "Optimizer"}, "is unknown"),
        ({"optimizer": "LBFGS"}, "cannot be used: it evaluates the loss itself"),
        ({"optimizer": "Adafactor"}, "cannot be used: .* depend on each other"),
        ({"optimizer_options": {"momentun": 0.9}}, "'momentun', which SGD does not take. Did you mean 'momentum'"),
        ({"optimizer_options": {"lr": 0.9}}, "set learning_rate and schedule instead"),
        ({"optimizer_options": {"maximize": True}}, "minimise"),
        ({"optimizer_options": {"momentum": -1.0}}, "is refused by SGD"),
        ({"optimizer": "Adam", "optimizer_options": {"betas": 0.9}}, "is refused by Adam"),
        ({"optimizer_options": {"differentiable": True}}, "is refused by SGD"),  # by its first step only
        ({"schedule": "halving", "learning_rate": 0.001}, "only goes down"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        GenerationConfig(**changes)


def test_every_elementwise_optimizer_of_torch_is_offered():
    assert {"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "NAdam"} <= set(OPTIMIZERS)
    for name in OPTIMIZERS:
        assert GenerationConfig(optimizer=name).optimizer == name
