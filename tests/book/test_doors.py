"""Whatever is given at a door, it works or is refused: by a ValueError or TypeError that names it and shows it."""

import dataclasses
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn
from typer.testing import CliRunner

import metamerlib as ml
from junk import FIXED, JUNK, WORDS, refused_clearly
from metamerbook.cli import app
from metamerbook.engine.store import Store
from metamerbook.study.settings import StudySettings, setting_names
from metamerbook.study.study import Study
from metamerlib.evaluation import (
    adversarial_examples,
    distance_correlation,
    draw_model_sets,
    measure_images,
    metamer_success,
    pair_distances,
    representational_divergence,
)
from metamerlib.generation import GenerationConfig, Metamers, generate_metamers


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("METAMERLIB_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("METAMERLIB_PROGRESS", "0")
    inner = tmp_path / "working" / "here"  # the folders above it, which words like "../.." name, are empty
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)


CONFIG = [field.name for field in dataclasses.fields(GenerationConfig)]


@settings(max_examples=250, **FIXED)
@given(st.sampled_from(["profile", *setting_names()]), JUNK)
def test_settings(name, value):
    def read(value):
        return StudySettings.from_profile(**({"profile": "smoke"} | {name: value}))

    refused_clearly(read, value, name)


@settings(max_examples=200, **FIXED)
@given(st.sampled_from(CONFIG), JUNK)
def test_a_generations_settings(name, value):
    refused_clearly(lambda value: GenerationConfig(**{name: value}), value, name)


with torch.random.fork_rng(devices=[]):
    torch.manual_seed(0)
    NETWORK = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, 2))
MODEL = ml.Classifier(NETWORK, name="toy", categories=("a", "b"), blocks=["0", "1"])
IMAGES = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
REFERENCES = ml.StimulusSet(IMAGES, torch.tensor([0, 1, 1]), ("a", "b"), tuple("xyz"))
GENERATION = {
    "images": IMAGES,
    "models": MODEL,
    "stage": "late",
    "config": GenerationConfig(repetitions=1, steps_per_model=1),
    "seed": 0,
    "device": "cpu",
    "batch_size": None,
    "checkpoint": None,
    "checkpoint_every": 60.0,
    "record_every": None,
    "initial": None,
    "index_offset": 0,
}
NAMED_OTHERWISE = {"stages": ("stages", "stage"), "model_sets": ("model_sets", "model set"), "settings": ("settings",)}


@settings(max_examples=250, **FIXED)
@given(st.sampled_from([*GENERATION]), JUNK)
def test_a_generation(name, value):
    if name == "config" and value is None:
        return  # Table 3, which takes its time
    refused_clearly(lambda value: generate_metamers(**GENERATION | {name: value}, progress=False), value, name)


CLASSIFIER = {
    "module": NETWORK,
    "name": "toy",
    "categories": ("a", "b"),
    "mean": (0, 0, 0),
    "std": (1, 1, 1),
    "blocks": ["0", "1"],
    "input_size": None,
    "outputs_of_category": None,
    "decision": "max_logit",
}


@settings(max_examples=200, **FIXED)
@given(st.sampled_from([*CLASSIFIER]), JUNK)
def test_a_classifier(name, value):
    refused_clearly(lambda value: ml.Classifier(**CLASSIFIER | {name: value}), value, name)


ASKED = {
    "images": [MODEL.predict, MODEL, lambda value: MODEL.activations(value, "late")],
    "stage": [MODEL.layer, lambda value: MODEL.activations(IMAGES, value)],
    "batch_size": [lambda value: MODEL.predict(IMAGES, value)],
}


@settings(max_examples=120, **FIXED)
@given(st.sampled_from([(name, call) for name, calls in ASKED.items() for call in calls]), JUNK)
def test_a_classifiers_methods(door, value):
    refused_clearly(door[1], value, door[0])


ZOO = ml.ModelZoo("mini")
ZOOS = {
    "name": [ml.ModelZoo, ZOO.model_set],
    "device": [lambda value: ml.ModelZoo("mini", device=value)],
    "weights": [lambda value: ml.ModelZoo("mini", weights=value)],
    "decision": [lambda value: ml.ModelZoo(decision=value), lambda value: ml.ModelZoo("paper", decision=value)],
    "network": [ZOO.build, ZOO.blocks, ZOO.fingerprint, lambda value: ZOO[value]],
}


@settings(max_examples=200, **FIXED)
@given(st.sampled_from([(name, call) for name, calls in ZOOS.items() for call in calls]), JUNK)
def test_a_zoo(door, value):
    refused_clearly(door[1], value, door[0])


DRAWN = {"name": "objects16", "n_per_class": 1, "seed": 0, "size": 32, "root": None, "categories": ["cat"]}


@settings(max_examples=300, **FIXED)
@given(st.sampled_from(["objects16", "folder", "imagenet16"]), st.sampled_from([*DRAWN, "on_unreadable"]), JUNK)
def test_stimuli(tmp_path, kind, name, value):
    photographs = tmp_path / "photographs"
    (photographs / "cat").mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (9, 9)).save(photographs / "cat" / "a.png")
    given = DRAWN | {"name": kind} | ({} if kind == "objects16" else {"root": photographs, "categories": None})
    also = (FileNotFoundError, NotADirectoryError) if name == "root" else ()
    if kind == "imagenet16" and name != "root":
        return  # there are none in this folder, which is said first
    refused_clearly(lambda value: ml.load_stimuli(**given | {name: value}), value, name, also=also)


SET = {"images": IMAGES, "labels": REFERENCES.labels, "categories": ("a", "b"), "sources": tuple("xyz")}


@settings(max_examples=100, **FIXED)
@given(st.sampled_from([*SET]), JUNK)
def test_a_stimulus_set(name, value):
    # Categories that are too few for the labels are refused by what the labels say.
    names = (name, "labels") if name == "categories" else (name,)
    refused_clearly(lambda value: ml.StimulusSet(**SET | {name: value}), value, *names)


JUDGING = {
    "images": IMAGES,
    "references": REFERENCES,
    "evaluators": [MODEL],
    "criterion": "reference",
    "generator": None,
    "confidence": 0.95,
    "batch_size": 256,
}
ATTACK = {
    "images": IMAGES,
    "models": [MODEL],
    "epsilon": 0.1,
    "steps": 1,
    "seed": 0,
    "batch_size": 4,
    "targets": None,
    "step_size": None,
    "ball": "linf",
}


@settings(max_examples=200, **FIXED)
@given(st.sampled_from([*JUDGING]), JUNK)
def test_recognizability(name, value):
    refused_clearly(lambda value: ml.recognizability(**JUDGING | {name: value}), value, name)


@settings(max_examples=200, **FIXED)
@given(st.sampled_from([*ATTACK]), JUNK)
def test_an_attack(name, value):
    if name == "steps" and isinstance(value, int) and value > 1000:
        return  # it would be taken at its word
    refused_clearly(lambda value: adversarial_examples(**ATTACK | {name: value}), value, name)


DISTANCES = list(pair_distances(IMAGES, REFERENCES, [MODEL], stage="late"))
ASKING = {"images": IMAGES, "references": REFERENCES, "stage": "late", "batch_size": 4}
MEASURES = [
    (lambda **asked: list(pair_distances(**asked)), ASKING | {"evaluators": [MODEL]}),
    (metamer_success, ASKING | {"models": [MODEL], "null_images": None, "null_quantile": 1.0}),
    (measure_images, {"images": IMAGES, "references": REFERENCES, "metrics": ["psnr"], "data_range": 1.0}),
    (draw_model_sets, {"keys": list("abcde"), "n_sets": 3, "smallest": 2, "largest": 4, "seed": 0}),
    (representational_divergence, {"distances": DISTANCES, "max_pairs": 9, "seed": 0}),
    (distance_correlation, {"distances": DISTANCES, "permutations": 3, "seed": 0}),
]


@settings(max_examples=250, **FIXED)
@given(st.sampled_from([(*measure, name) for measure in MEASURES for name in measure[1]]), JUNK)
def test_a_measure(door, value):
    measure, asked, name = door
    if name == "metrics" and value is None:
        return  # all of them, which takes its time
    refused_clearly(lambda value: measure(**asked | {name: value}), value, name)


STUDY = ("store", "models", "references", "zoo", "settings", "model_sets", "evaluators", "stages", "device")


@settings(max_examples=150, **FIXED)
@given(st.sampled_from(STUDY), JUNK)
def test_a_study(name, value):
    def begin(value):
        if name in ("zoo", "settings"):
            Study(**{"settings": StudySettings.from_profile("smoke"), "store": "store"} | {name: value})
        else:
            Study.from_profile(**{"profile": "smoke", "store": "store"} | {name: value})

    if name == "zoo" and value == {}:
        return  # one's own networks may be all there are
    names = ("root",) if name == "store" else NAMED_OTHERWISE.get(name, (name,))
    refused_clearly(begin, value, *names)


@cache
def one_study():
    return Study.from_profile("smoke", store="store")


@settings(max_examples=100, **FIXED)
@given(st.sampled_from(["model_set", "stage", "seed"]), JUNK)
def test_a_studys_methods(name, value):
    study = one_study()
    doors = {
        "model_set": lambda value: study.run(value, "late"),
        "stage": lambda value: study.run("CNN", value),
        "seed": lambda value: study.run("CNN", "late", seed=value),
    }
    refused_clearly(doors[name], value, name, name.replace("_", " "))


@settings(max_examples=60, **FIXED)
@given(JUNK)
def test_paths(value):
    refused_clearly(Store, value, "root")
    refused_clearly(Metamers.load, value, "path", also=(FileNotFoundError,))


COMMANDS = [
    *(["run", "--set", "CNNs", option] for option in ("--profile", "--stage", "--photos", "--size", "--n-per-class")),
    *(
        ["run", "--set", "CNNs", option]
        for option in ("--seed", "--repetitions", "--criterion", "--device", "--option")
    ),
    *(["run", option] for option in ("--set", "--evaluator")),
    *(
        ["zoo", "show"],
        ["zoo", "list", "--zoo"],
        ["zoo", "fetch", "--folder", "nowhere"],
        ["zoo", "verify", "--photos"],
    ),
    *(["layers"], ["layers", "vgg19", "--zoo"], ["train", "--folder", "w"], ["train", "resnet17", "--workers"]),
    *(["stimuli", "sheet", "--size"], ["stimuli", "sheet", "--photos"], ["stimuli", "sheet", "--n-per-class"]),
    *(["book", "--no-html", "-p"], ["book", "--no-html", "no such chapter"]),
]


@settings(max_examples=120, **FIXED)
@given(st.sampled_from(COMMANDS), WORDS)
def test_the_command_line(command, word):
    result = CliRunner().invoke(app, [*command, word])
    assert result.exit_code in (0, 2), (result.output, result.exception)
    if result.exit_code == 2:
        first, *others = result.stderr.strip().splitlines()
        unreadable = "could not be read as images:" in first  # which names the files, one to a line
        assert (first.startswith("metamerlib: ") and (unreadable or not others)) or first.startswith("Usage: "), (
            result.stderr
        )
    assert "Traceback" not in result.output
