"""The library alone, as `pip install metamerlib` without extras brings it: the README's example on a user's module."""

import subprocess
import sys

import numpy as np
from PIL import Image

EXAMPLE = """
import sys

ABSENT = {
    "IPython", "bokeh", "cloudpickle", "dask", "distributed", "filelock", "jupytext", "matplotlib", "metamerbook",
    "nbclient", "nbformat", "papermill", "pyarrow", "seaborn", "sphinx", "typer", "yaml",
}


class Absent:
    def find_spec(self, name, path=None, target=None):
        user = sys._getframe(1)
        while "importlib" in user.f_code.co_filename:
            user = user.f_back
        # Packages that the library needs may ask for these themselves; they come with them, or are not needed.
        if name.partition(".")[0] in ABSENT and user.f_globals["__name__"].startswith(("metamer", "__main__")):
            raise ModuleNotFoundError(f"No module named {name!r}, which the library alone must not need")


sys.meta_path.insert(0, Absent())
import torch
from torch import nn

import metamerlib as ml

torch.manual_seed(0)
network = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.MaxPool2d(3), nn.Flatten(), nn.Linear(200, 16))
references = ml.load_stimuli("folder", root=sys.argv[1], size=32)
mine = ml.Classifier(
    network,
    name="mine",
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    blocks=["0", "1", "2"],
    categories=references.categories,
)
config = ml.GenerationConfig(repetitions=30, steps_per_model=1)
metamers = ml.generate_metamers(references.images, [mine], stage="late", config=config, progress=False)
assert (metamers.residuals < metamers.initial_residuals).all()
table = ml.recognizability(metamers.images, references, [mine])
assert len(table) == 1 and table["n"].iloc[0] == 4, table
metamers.save(sys.argv[1] + "/metamers.safetensors")
"""


def test_the_library_alone_makes_metamers_and_evaluates_them(tmp_path):
    pixels = np.random.default_rng(0)
    for category in ("cat", "dog"):
        (tmp_path / category).mkdir()
        for name in "ab":
            Image.fromarray(pixels.integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(
                tmp_path / category / f"{name}.png"
            )
    run = [sys.executable, "-c", EXAMPLE, str(tmp_path)]
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "metamers.safetensors").is_file()


def test_the_command_says_what_it_lacks():
    code = "import sys; sys.modules['typer'] = None; from metamerbook.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The command needs the packages of the book: pip install 'metamerlib[book]'.\n"
