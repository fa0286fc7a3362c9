"""The paper's networks at their full size, with random weights, on photographs: what stands before a real run."""

import os
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from PIL import Image

from metamerbook.build import execute_chapters
from metamerbook.study.profiles import profile_files

NETWORKS = ["squeezenet", "shufflenet_v2", "mobilenet_v2"]  # the smallest, which judge as well


@pytest.fixture
def rehearsal(tmp_path, monkeypatch):
    """Give a folder with three photographs, and beside it the profile made smaller; no weights of anyone else's."""
    generator = np.random.default_rng(0)
    for category in ("cat", "dog", "truck"):  # distributions of distances need three
        (tmp_path / "photos" / category).mkdir(parents=True)
        pixels = generator.integers(0, 256, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((300, 200)).save(tmp_path / "photos" / category / "one.jpg")
    settings = yaml.safe_load(profile_files()["rehearsal"].read_text("utf8")) | {
        "n_per_class": 1,
        "stages": ["early", "late"],
        "model_sets": {"Single CNN": ["squeezenet"], "CNN": ["squeezenet", "shufflenet_v2"]},
        "evaluators": NETWORKS,
        "repetitions": 2,
        "transfer_generators": ["shufflenet_v2"],
    }
    (tmp_path / "small.yml").write_text(yaml.safe_dump(settings))
    for variable, folder in (("STORE", "store"), ("WEIGHTS", "weights")):
        monkeypatch.setenv(f"METAMERLIB_{variable}", str(tmp_path / folder))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hugging-face"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(run):
    """Join all text that a chapter made, what it glues into its captions included."""
    outputs = [output for cell in nbformat.read(run.path, 4).cells for output in cell.get("outputs", [])]
    kinds = ("text/markdown", "text/html", "text/plain", "application/papermill.record/text/markdown")
    return "\n".join(output["data"].get(kind, "") for output in outputs if "data" in output for kind in kinds)


def execute(chapter):
    (run,) = execute_chapters("small.yml", [chapter], parameters={"root": "photos"}, output=Path("out").absolute())
    return said(run)


def test_a_chapter_runs_on_photographs_and_says_that_weights_are_random(rehearsal):
    text = execute("01")
    assert "A rehearsal with random weights: no number and no verdict on this page means anything" in text
    assert f"3 photographs from `{rehearsal / 'photos'}` of 3 categories at 224 × 224 px" in text
    assert "Profile small (random weights): 3 photographs at 224 px, 2 updates per model, 3 evaluators." in text
    assert "drawing" not in text
    assert "miniature" not in text


@pytest.mark.skipif(
    os.environ.get("METAMERLIB_REHEARSAL") != "1", reason="minutes of computing: METAMERLIB_REHEARSAL=1 runs it"
)
@pytest.mark.parametrize("chapter", [*(f"{number:02d}" for number in range(2, 16)), "90"])
def test_every_chapter_runs_on_photographs(rehearsal, chapter):
    text = execute(chapter)
    assert chapter == "02" or "A rehearsal with random weights" in text
    if chapter == "06":  # no published network is here: each learned metric says which file to put where
        for file in ("pt_inception-2015-12-05-6726825d.pth", "alexnet-owt-7be5be79.pth"):
            assert f"{file} is not in {rehearsal / 'torch' / 'hub' / 'checkpoints'}" in text
        assert "CLIP-IQA · openai/clip-vit-base-patch16 is absent" in text
