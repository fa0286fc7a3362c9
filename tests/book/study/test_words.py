"""Names of networks, sets, stages and of what was run."""

import pytest

from metamerbook.study import words
from metamerbook.study.study import Study


def test_provenance_says_profile_pictures_budget_and_evaluators(tmp_path):
    study = Study.from_profile("smoke", store=tmp_path)
    count = len(study.evaluators)
    assert words.provenance(study) == f"Profile smoke: 4 drawings at 64 px, 12 updates per model, {count} evaluators."
    given = Study.from_profile("smoke", store=tmp_path, references=study.references[:1])
    assert "1 image at 64 px" in words.provenance(given)


def test_members_and_left_out_name_missing_networks(tmp_path):
    study = Study.from_profile("smoke", store=tmp_path)
    assert words.left_out(study) == ""
    assert words.members(study, "Single CNN") == "VGG-19"
    lacking = study.model_sets["CNN"].__class__("CNN", ("alexnet", "resnet18", "vgg19"), ("alexnet", "resnet18"))
    study.model_sets["CNN"] = lacking
    assert "CNN: 2 of 3 networks, without vgg19" in words.left_out(study)
    assert words.members(study, "CNN") == "AlexNet and ResNet-18 (without VGG-19)"


@pytest.mark.parametrize(
    ("stage", "text"), [("late", "the late stage"), (0.35, "35% of the depth"), ("layer1", "`layer1`")]
)
def test_stage_in_words(stage, text):
    assert words.stage_in_words(stage) == text


def test_lists_numbers_and_intervals():
    assert [words.enumerated(parts) for parts in ([], "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
    assert [words.counted(count, "picture") for count in (0, 1, 2)] == ["0 pictures", "1 picture", "2 pictures"]
    numbers = [words.signed(-0.126), words.signed(0.126, 1), words.signed(-0.001), words.signed(float("nan"))]
    assert numbers == ["−0.13", "+0.1", "0.00", "–"]
    assert words.interval(-0.1, 0.2) == "[−0.10, +0.20]"
    assert words.interval(float("nan"), 0.2) == ""
