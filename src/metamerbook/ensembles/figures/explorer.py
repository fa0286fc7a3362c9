"""Chapter 90: a page's own small program that shows every metamer on its way, with what is measured on it."""

import base64
import json
from importlib import resources
from types import SimpleNamespace

import torch
from jinja2 import Template
from torch import Tensor

from metamerbook.plots.mosaic import encode_sheets
from metamerbook.plots.style import stage_label
from metamerbook.study.words import network_label


def explorer_html(exploration: SimpleNamespace, *, limit: int = 1_900_000) -> str:
    """Make the explorer's HTML: choose a picture, a model set and a stage; slide along the optimisation.

    Its styles, program and pictures are in it; the latter are compressed as far as `limit` bytes in all need.
    """
    template = Template(_file("explorer.html"), autoescape=True)
    sets = list(dict.fromkeys(run.model_set for run in exploration.runs))
    stages = list(dict.fromkeys(run.stage for run in exploration.runs))
    shown_set, shown_stage = exploration.featured
    data = {
        "categories": exploration.categories,
        "stages": stages,
        "size": list(exploration.references.shape[-1:-3:-1]),
        "runs": [_measured(run) for run in exploration.runs],
    }
    parts = {
        "side": exploration.references.shape[-1],
        "count": len(exploration.runs[0].trajectory.repetitions),
        "style": _file("explorer.css"),
        "program": _file("explorer.js"),
        "choices": [
            ("set", "Model set", sets, sets.index(shown_set)),
            ("stage", "Stage", [stage_label(stage) for stage in stages], stages.index(shown_stage)),
        ],
        "categories": exploration.categories,
        "recognized": any(run.evaluators for run in exploration.runs),
    }
    words = len(template.render(**parts, data=_json(data)).encode())
    room = (limit - words) * 3 // 4 - 1000  # base64 makes four bytes of three
    # Of a run: one row per picture, one column per step; the initial stimuli, which all runs share, are left out.
    of_runs = [run.trajectory.images[1:].transpose(0, 1) for run in exploration.runs]
    sheets = [exploration.references[None], exploration.runs[0].trajectory.images[:1], *of_runs]
    files, data["size"] = encode_sheets(sheets, room)
    data["references"], data["initial"], *pictures = [base64.b64encode(file).decode() for file in files]
    for run, picture in zip(data["runs"], pictures, strict=True):
        run["pictures"] = picture
    return template.render(**parts, data=_json(data))


def _measured(run: SimpleNamespace) -> dict[str, object]:
    return {
        "set": run.model_set,
        "stage": stage_label(run.stage),
        "updates": run.trajectory.updates,
        "models": [network_label(key) for key in run.trajectory.models],
        "residuals": _numbers(run.trajectory.residuals),
        "recognized": run.recognized.tolist() if run.evaluators else None,
        "evaluators": len(run.evaluators),
    }


def _numbers(values: Tensor) -> list[object]:
    """Nested lists with three digits and without what JSON has no word for."""
    if values.ndim:
        return [_numbers(part) for part in values]
    return float(f"{values.item():.3g}") if torch.isfinite(values) else None


def _json(data: dict[str, object]) -> str:
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _file(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")
