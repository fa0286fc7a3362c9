"""Keys of tasks: one per content, the same everywhere."""

import dataclasses
import math
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from metamerbook.engine.task import digest, noted, plain
from metamerbook.study.judging import Predictions
from metamerbook.study.tasks import ClassifierRef, MetamerRun, ModelRef, StimuliRef, model_fingerprint
from metamerlib import Classifier, GenerationConfig

RUN = MetamerRun(
    stimuli=StimuliRef("a" * 64, count=48, size=(64, 64)),
    models=(ModelRef("resnet18", "b" * 64), ModelRef("vgg19", "c" * 64)),
    layers=("layer4.0", "features.48"),
    stage="late",
    config=GenerationConfig(repetitions=150, steps_per_model=2, optimizer_options={"momentum": 0.9, "nesterov": True}),
    seed=7,
    name="CNN",
)

# If this fails, every result that people have stored is lost to them. Change it only with that in mind.
FROZEN = "b8b7151ae89050a644ed846816737d7ead23bae919cad9508a79083801c53b76"


def test_the_key_of_a_known_run_never_changes():
    assert RUN.key == FROZEN


def test_the_key_is_the_same_in_another_process_with_another_hash_seed():
    code = f"import runpy; print(runpy.run_path({__file__!r})['RUN'].key)"
    other = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == RUN.key


def test_the_order_in_which_settings_are_written_does_not_matter():
    assert digest({"a": 1, "b": {"c": 2, "d": 3}}) == digest({"b": {"d": 3, "c": 2}, "a": 1})
    other = RUN.config.replace(optimizer_options={"nesterov": True, "momentum": 0.9})
    assert dataclasses.replace(RUN, config=other).key == RUN.key


def test_equal_numbers_are_one_setting_whatever_their_type():
    assert digest([1.0, 0.5, -0.0, 10000.0]) == digest([1, 0.5, 0, 10000])


def test_values_that_differ_have_other_digests():
    values = [None, True, 1, 2, "1", [1], [1, 1], {"a": 1}, {"a": 2}, math.inf, -math.inf, "inf", 1e-9, [], {}]
    assert len({digest(value) for value in values}) == len(values)


@pytest.mark.parametrize("change", [
    {"stimuli": StimuliRef("d" * 64, count=48, size=(64, 64))},
    {"models": RUN.models[:1]},
    {"models": RUN.models[::-1]},
    {"models": (ModelRef("resnet18", "e" * 64), RUN.models[1])},
    {"layers": ("layer3.0", "features.48")},
    {"stage": "middle"},
    {"config": RUN.config.replace(epsilon=0.3)},
    {"seed": 8},
], ids=lambda change: next(iter(change)))  # fmt: skip
def test_whatever_the_metamers_depend_on_changes_the_key(change):
    assert dataclasses.replace(RUN, **change).key != RUN.key


def test_what_the_metamers_do_not_depend_on_leaves_the_key():
    renamed = dataclasses.replace(RUN, name="another name")
    moved = dataclasses.replace(RUN, stimuli=StimuliRef("a" * 64, 48, (64, 64), {"root": "/elsewhere"}))
    assert renamed.key == moved.key == RUN.key


def test_predictions_depend_on_the_run_and_the_evaluators():
    evaluator = ClassifierRef("alexnet", "f" * 64)
    seen = Predictions(RUN, (evaluator,), RUN.models)
    others = [
        Predictions(dataclasses.replace(RUN, seed=8), (evaluator,), RUN.models),
        Predictions(RUN, (ClassifierRef("alexnet", "0" * 64),), RUN.models),
        Predictions(RUN, (evaluator, ClassifierRef("vgg19", "0" * 64)), RUN.models),
        Predictions(RUN, (dataclasses.replace(evaluator, decision="mean_probability"),), RUN.models),
    ]
    assert len({task.key for task in [seen, *others]}) == 5
    assert seen.requires == (RUN,)


def test_what_is_not_compared_is_noted_for_people():
    assert noted(RUN) == {"stimuli": {"count": 48, "size": (64, 64), "origin": {}}, "name": "CNN", "followed": ()}


def test_a_newer_version_of_the_code_has_other_keys(monkeypatch):
    newer = dataclasses.replace(RUN)
    monkeypatch.setattr(MetamerRun, "version", MetamerRun.version + 1)
    assert newer.key != FROZEN


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": {1, 2}}, "set"),
        (torch.zeros(1), "Tensor"),
    ],
)
def test_values_without_a_canonical_form_are_refused(value, words):
    with pytest.raises(TypeError, match=words):
        plain(value)


def _classifier(weight=0.5, **changes):
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Flatten(), nn.Linear(8, 2))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(weight)
    return Classifier(network, name="toy", **({"categories": ("a", "b")} | changes))


def test_a_fingerprint_is_of_content_not_of_identity():
    assert model_fingerprint(_classifier()) == model_fingerprint(_classifier())


@pytest.mark.parametrize(
    "other",
    [
        _classifier(weight=0.25),
        _classifier(mean=(0.5, 0, 0)),
        _classifier(std=(2, 1, 1)),
        _classifier(input_size=2),
        _classifier(categories=("a", "c")),
        _classifier(outputs_of_category=[[1], [0]]),
        Classifier(
            nn.Sequential(nn.Conv2d(3, 2, 1, stride=2), nn.Flatten(), nn.Linear(8, 2)),
            name="toy",
            categories=("a", "b"),
        ),
    ],
    ids=["weights", "mean", "std", "input size", "categories", "outputs", "architecture"],
)
def test_whatever_the_activations_depend_on_changes_the_fingerprint(other):
    if other.module[0].stride == (2, 2):
        other.module.load_state_dict(_classifier().module.state_dict())
    assert model_fingerprint(other) != model_fingerprint(_classifier())


def test_weights_of_every_type_have_a_fingerprint():
    halves = _classifier()
    halves.module.to(torch.bfloat16)
    counted = _classifier()
    counted.module.append(nn.BatchNorm1d(2))  # has a scalar integer in its state
    assert len({model_fingerprint(model) for model in (_classifier(), halves, counted)}) == 3
