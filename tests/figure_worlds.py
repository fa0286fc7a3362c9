"""Small results with known content, to draw figures from."""

import io
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from PIL import Image

from metamerbook.ensembles.methodology import Trajectory
from metamerlib.evaluation import PairDistances
from metamerlib.models import MODEL_SETS, ZOO

STAGES = ("early", "middle", "late")


def recognizability_table(sets=MODEL_SETS, stages=STAGES, evaluators=tuple(ZOO)):
    """Give every evaluator its own level; a set loses a tenth from stage to stage."""
    rows = []
    for name, members in sets.items():
        for stage_number, stage in enumerate(stages):
            for number, key in enumerate(evaluators):
                entry = ZOO.get(key)
                rows.append(
                    {
                        "model_set": name,
                        "stage": stage,
                        "evaluator": key,
                        "family": entry.family if entry else "own",
                        "robust": bool(entry and entry.robust),
                        "random": bool(entry and entry.random),
                        "held_out": key not in members,
                        "n": 16,
                        "recognizability": 0.3 + 0.6 * number / max(1, len(evaluators)) - 0.1 * stage_number,
                        "n_members": len(members),
                        "n_wanted": len(members),
                    }
                )
    return pd.DataFrame(rows)


def pictures(count, side=16, seed=0):
    """Random pictures whose values survive being stored as bytes."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, side, side), generator=generator) / 255


def overview(models=("alexnet", "resnet18"), stage="late", evaluators=("vgg19", "densenet121"), alone=False):
    """What Fig. 1 is drawn from; `alone` leaves out what needs several pictures or judges."""
    points = torch.rand(6, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    distances = PairDistances(
        "metamers",
        "vgg19",
        stage,
        "0",
        torch.cdist(points, points),
        torch.cdist(points, points),
        torch.cdist(points, points + 1),
    )
    verdicts = [
        {"evaluator": key, "reference_class": "cat", "metamer_class": ("cat", "dog")[n % 2]}
        for n, key in enumerate(evaluators)
    ]
    return SimpleNamespace(
        model_set="CNN",
        stage=stage,
        category="cat",
        reference=pictures(1)[0],
        trajectory=trajectory(models),
        model=models[-1],
        reference_activation=torch.rand(4, 3, 3),
        metamer_activation=torch.rand(4, 3, 3),
        verdicts=pd.DataFrame([] if alone else verdicts, columns=["evaluator", "reference_class", "metamer_class"]),
        metrics=pd.DataFrame({"metric": ["ssim", "tv", "vif"], "value": [0.25, 0.5, np.nan]}),
        distances=None if alone else distances,
        example_references=pictures(1 if alone else 7),
        example_metamers=pictures(1 if alone else 7, seed=1),
    )


def trajectory(models=("alexnet", "resnet18"), snapshots=4):
    """Snapshots of one picture at 0, 2, 4, … repetitions of one step."""
    repetitions = tuple(range(0, 2 * snapshots, 2))
    return Trajectory(
        images=pictures(snapshots)[:, None],
        residuals=torch.linspace(1, 0.1, snapshots)[:, None, None].expand(snapshots, 1, len(models)),
        repetitions=repetitions,
        updates=tuple(repetition * len(models) for repetition in repetitions),
        models=tuple(models),
    )


def pixels(figure):
    """Store a figure as the book does, and read it back: (height, width, 3) bytes."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=2 * figure.dpi, bbox_inches="tight")
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def words(figure):
    """Everything that is written on a figure, short of the numbers along x axes."""
    written = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        titles = [axes.get_title(loc) for loc in ("left", "center", "right")]
        labels = [label.get_text() for label in axes.get_yticklabels()]
        written += [*(text.get_text() for text in axes.texts), *titles, *labels]
    return written


def cells(styler):
    """Read a table as people do: rows of text, the head first."""
    rows = styler.to_html().split("<tr>")[1:]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in rows]
