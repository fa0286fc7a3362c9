"""Studies on toy networks: what is computed, what is found again, what the tables say."""

import shutil

import pandas as pd
import pytest
import torch
from torch import nn

from metamerbook.ensembles.methodology import trajectory
from metamerbook.ensembles.recognizability import mean_recognizability, recognizability, residuals
from metamerbook.study import tasks
from metamerbook.study.judging import featured_set
from metamerbook.study.settings import StudySettings
from metamerbook.study.study import Study
from metamerlib import CATEGORIES, Classifier, GenerationConfig, ModelZoo, StimulusSet
from metamerlib.generation.batch import Batch
from metamerlib.generation.checkpoint import Checkpoint
from metamerlib.models import MissingWeightsError

CONFIG = GenerationConfig(repetitions=3, steps_per_model=2)
SETS = {"pair": ("a", "b"), "one": ("c",)}


def toy(name, seed):
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(64, len(CATEGORIES))
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 4)
    return Classifier(network, name=name, blocks=["0", "1", "2"], categories=CATEGORIES)


def toy_zoo():
    return {name: toy(name, seed) for seed, name in enumerate("abcd")}


REFERENCES = StimulusSet(
    torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0)),
    torch.tensor([0, 0, 6, 6, 6]),
    CATEGORIES,
    tuple("vwxyz"),
)


@pytest.fixture
def generated(monkeypatch):
    """Count what is generated: a list of (models, stage)."""
    calls = []
    generate = tasks.generate_metamers

    def counting(images, models, **arguments):
        calls.append(("".join(model.name for model in models), arguments["stage"]))
        return generate(images, models, **arguments)

    monkeypatch.setattr(tasks, "generate_metamers", counting)
    return calls


@pytest.fixture
def recognized(monkeypatch):
    """Count who looks at metamers: a list of evaluators' names."""
    calls = []
    predict = Classifier.predict

    def counting(classifier, images, *arguments):
        calls.append(classifier.name)
        return predict(classifier, images, *arguments)

    monkeypatch.setattr(Classifier, "predict", counting)
    return calls


@pytest.fixture
def study(tmp_path):
    def build(zoo=None, models=(), references=REFERENCES, **changes):
        defaults = {"stages": ("early", "late"), "model_sets": SETS, "config": CONFIG, "device": "cpu"}
        return Study(
            StudySettings(**(defaults | changes)),
            zoo=toy_zoo() if zoo is None else zoo,
            models=models,
            references=references,
            store=tmp_path / "store",
            progress=False,
        )

    return build


def test_a_second_study_computes_nothing(study, generated, recognized):
    first = recognizability(study()), residuals(study())
    assert sorted(generated) == [("ab", "early"), ("ab", "late"), ("c", "early"), ("c", "late")]
    assert len(recognized) == 4 * 4
    generated.clear(), recognized.clear()
    again = recognizability(study()), residuals(study())
    assert (generated, recognized) == ([], [])
    for before, after in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(before, after)


def test_another_precision_is_another_result_and_float32_is_what_it_was(study, generated):
    plain, rounded = study(), study(precision="bfloat16")
    plain.execute()
    generated.clear()
    found = rounded.metamers("pair", "late")
    assert (generated, found.precision) == ([("ab", "late")], "bfloat16")
    run = plain.run("pair", "late")
    assert rounded.run("pair", "late").key != run.key
    assert not torch.equal(found.images, plain.metamers("pair", "late").images)
    assert trajectory(rounded, "pair", "late", images=[1], n=2).images[-1, 0].equal(found.images[1])
    assert "computed in bfloat16" in rounded.describe()
    assert "computed in" not in plain.describe()


def test_batch_size_and_compiler_do_not_make_other_results(study, generated):
    study().execute()
    generated.clear()
    study(batch_size="auto", compile=True).execute()
    assert generated == []


def test_another_stage_computes_that_stage_only(study, generated, recognized):
    recognizability(study())
    generated.clear(), recognized.clear()
    recognizability(study(stages=("late", "middle")))
    assert sorted(generated) == [("ab", "middle"), ("c", "middle")]
    assert len(recognized) == 2 * 4


def test_another_set_computes_that_set_only(study, generated):
    study().execute()
    generated.clear()
    study(model_sets={"renamed": ("a", "b"), "new": ("b", "c")}).execute()
    assert sorted(generated) == [("bc", "early"), ("bc", "late")]


def test_another_criterion_or_evaluator_generates_nothing(study, generated, recognized):
    recognizability(study(evaluators=("a", "b", "c")))
    generated.clear(), recognized.clear()
    recognizability(study())
    assert recognized == list("abcd") * 4
    recognized.clear()
    recognizability(study(criterion="label"))
    recognizability(study(criterion="generator"))
    assert (generated, recognized) == ([], [])


def test_retrained_weights_recompute_what_they_touch(study, generated, recognized):
    recognizability(study())
    generated.clear(), recognized.clear()
    recognizability(study(zoo=toy_zoo() | {"c": toy("c", seed=9)}))
    assert sorted(generated) == [("c", "early"), ("c", "late")]
    assert sorted(recognized) == sorted(list("abcd") * 4)


@pytest.mark.parametrize(
    "change",
    [{"config": CONFIG.replace(epsilon=0.1)}, {"seed": 1}, {"references": REFERENCES[:2]}],
    ids=["setting", "seed", "images"],
)
def test_other_settings_seeds_or_images_generate_anew(study, generated, change):
    study().execute()
    generated.clear()
    study(**change).execute()
    assert len(generated) == 4


def test_device_and_batch_size_are_no_part_of_the_result(study, generated):
    study().execute()
    generated.clear()
    study(batch_size=2, device="auto").execute()
    assert generated == []


def test_metamers_come_by_set_key_or_list_with_changed_settings(study, generated):
    toys = study()
    assert toys.metamers("pair", "late").models == ("a", "b")
    assert toys.metamers(["a", "b"], "late").models == ("a", "b")
    assert len(generated) == 1
    assert toys.metamers("d", 0.5, repetitions=1, seed=3).config.repetitions == 1
    assert toys.metamers("one", "late").images.shape == REFERENCES.images.shape


def test_recognizability_has_a_row_per_set_stage_and_evaluator(study):
    table = recognizability(study())
    assert len(table) == 2 * 2 * 4
    assert table.columns.tolist() == [
        "model_set", "stage", "evaluator", "family", "robust", "random", "held_out", "n", "recognized",
        "recognizability", "low", "high", "criterion", "reference_accuracy", "label_recognizability", "n_members",
        "n_wanted",
    ]  # fmt: skip
    assert table[table["model_set"] == "pair"].groupby("evaluator")["held_out"].first().to_dict() == {
        "a": False, "b": False, "c": True, "d": True,
    }  # fmt: skip
    assert (table["recognized"] / table["n"] == table["recognizability"]).all()
    assert table["recognizability"].between(table["low"], table["high"]).all()


def test_a_reference_is_recognized_by_everyone(study):
    exact = study(config=CONFIG.replace(initializer="reference", projection="linf", epsilon=1e-9))
    assert (recognizability(exact)["recognizability"] == 1).all()


def test_stages_and_sets_keep_their_order(study):
    means = mean_recognizability(recognizability(study(stages=("late", "early"))))
    assert means["stage"].drop_duplicates().tolist() == ["late", "early"]
    assert means["model_set"].drop_duplicates().tolist() == ["pair", "one"]


def test_networks_of_ones_own_take_part(study):
    toys = study(models=[toy("mine", 7)], model_sets={"mixed": ("mine", "a")}, stages=("late",))
    table = recognizability(toys)
    assert table.set_index("evaluator").loc["mine", ["family", "held_out"]].tolist() == ["own", False]
    assert "the caller's own" in toys.describe()
    with pytest.raises(ValueError, match="'a', which is taken"):
        study(models=[toy("a", 7)])


def test_evaluators_of_other_categories_are_refused_before_anything_is_computed(study, generated):
    other = Classifier(nn.Sequential(nn.Flatten(), nn.Linear(192, 2)), name="other", categories=("cat", "dog"))
    with pytest.raises(ValueError, match="'other', which answers in other categories"):
        recognizability(study(models=[other]))
    assert generated == []


class GappyZoo(dict):
    """A zoo without the weights of x and y."""

    missing = ("x", "y")
    model_sets = {"whole": ["a", "b"], "reduced": ["a", "b", "x"], "alone": ["x"], "too few": ["a", "x", "y"]}  # noqa: RUF012


def test_missing_networks_are_said_everywhere(study):
    toys = study(zoo=GappyZoo(toy_zoo()), model_sets=None, stages=("late",))
    assert list(toys.running_sets) == ["whole", "reduced"]
    said = toys.describe()
    assert "reduced: 2 of 3 networks, without x" in said
    assert "alone: left out, without x" in said
    assert "too few: left out, without x, y" in said
    assert "averages run over 4 of 6, without x, y" in said
    means = mean_recognizability(recognizability(toys))
    numbers = means.drop_duplicates("model_set").set_index("model_set")[["n_members", "n_wanted", "n_evaluators"]]
    assert numbers.to_dict("index") == {
        "whole": {"n_members": 2, "n_wanted": 2, "n_evaluators": 2},
        "reduced": {"n_members": 2, "n_wanted": 3, "n_evaluators": 2},
    }
    with pytest.raises(MissingWeightsError, match="metamerlib train x"):
        toys.metamers("alone", "late")


def test_a_study_of_which_nothing_can_run_says_so(study):
    with pytest.raises(MissingWeightsError, match=r"no model set can run\. alone: left out, without x"):
        recognizability(study(zoo=GappyZoo(toy_zoo()), model_sets=("alone",)))


def test_the_description_says_what_was_run(study):
    said = study(config=CONFIG.replace(epsilon=0.3), seed=4).describe()
    for words in (
        "5 images of 2 categories at 8 × 8 px, seed 4",
        "pair (a, b); one (c)",
        "stages: early, late",
        "3 repetitions × 2 steps per model (other than Table 3: epsilon 0.3)",
        "4 networks",
    ):
        assert words in said
    assert "Missing" not in said


@pytest.mark.parametrize(("value", "shown"), [("0", False), ("1", True), ("no", False)])
def test_the_environment_switches_progress(study, monkeypatch, value, shown):
    monkeypatch.setenv("METAMERLIB_PROGRESS", value)
    toys = study()
    toys.context.progress = None
    assert toys.context.shows_progress is shown


def test_an_interrupted_generation_goes_on_where_it_stopped(study, tmp_path, monkeypatch):
    whole = study().metamers("pair", "late")
    shutil.rmtree(tmp_path / "store")
    repetitions = []
    run = Batch.run

    def interrupted(part):
        for repetition in run(part):
            repetitions.append(repetition)
            yield repetition
            if repetitions == [1, 2]:
                raise KeyboardInterrupt

    monkeypatch.setattr(Batch, "run", interrupted)
    monkeypatch.setattr(Checkpoint, "due", lambda checkpoint: True)
    with pytest.raises(KeyboardInterrupt):
        study().metamers("pair", "late")
    resumed = study().metamers("pair", "late")
    assert repetitions == [1, 2, 3]
    assert torch.equal(resumed.images, whole.images)
    assert torch.equal(resumed.residual_history, whole.residual_history)


def test_the_bundled_zoo_works_too(tmp_path, generated):
    changes = {"model_sets": {"untrained": ["alexnet_random"]}, "evaluators": ["alexnet_random", "resnet50_random"]}
    mini = Study.from_profile("smoke", store=tmp_path, progress=False, stages="late", repetitions=1, **changes)
    assert isinstance(mini.zoo, ModelZoo)
    table = recognizability(mini)
    assert table["random"].all()
    assert table["family"].tolist() == ["cnn", "cnn"]
    assert generated == [("alexnet_random", "late")]
    again = Study.from_profile("smoke", store=tmp_path, progress=False, stages="late", repetitions=1, **changes)
    pd.testing.assert_frame_equal(recognizability(again), table)
    assert again.zoo.loaded == (), "what is in the store needs no network"


def test_missing_weights_name_what_brings_them(tmp_path, monkeypatch):
    monkeypatch.setenv("METAMERLIB_WEIGHTS", str(tmp_path / "none"))
    images = StimulusSet(torch.rand(1, 3, 224, 224), torch.tensor([0]), CATEGORIES, ("a",))
    study = Study.from_profile("paper", root=str(tmp_path), references=images, store=tmp_path, progress=False)
    assert "averages run over 2 of 31, without alexnet, alexnet_robust, vgg19" in study.describe()
    assert study.describe().endswith("`metamerlib zoo fetch` fetches them, or says which file to put where.")
    with pytest.raises(MissingWeightsError, match="`metamerlib zoo fetch` fetches them"):
        _ = study.runs
    with pytest.raises(ValueError, match="`metamerlib zoo fetch` fetches them"):
        featured_set(study)
    with pytest.raises(MissingWeightsError, match="`metamerlib zoo fetch vgg19` fetches them"):
        study.run("Single CNN", "late")


def test_a_network_of_robustbench_is_named_as_any_other(tmp_path, monkeypatch):
    name = "robustbench:Salman2020Do_R18"
    asked = []

    def load(key, **options):
        asked.append((key, options["decision"]))
        return toy(f"robustbench:{key}", 7)

    monkeypatch.setattr("metamerbook.study.networks.load_robustbench", load)
    for changes in ({"model_sets": {"mine": [name]}}, {"model_sets": [name]}, {"evaluators": [name]}):
        study = Study.from_profile("smoke", store=tmp_path, progress=False, **changes)
        assert name in study.networks.models
        assert study.run(name, "1").models[0].key == name
    assert asked == [("Salman2020Do_R18", "max_logit")] * 3
