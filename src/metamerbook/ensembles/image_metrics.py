"""Chapter 06: the image metrics of every set and stage (paper, section 4.5, Table 1 and Fig. 4)."""

import dataclasses
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch

from metamerbook.engine.context import Context
from metamerbook.engine.task import Task
from metamerbook.ensembles.recognizability import tasks as recognizability_tasks
from metamerbook.study.judging import collect, rank_correlation
from metamerbook.study.settings import Section
from metamerbook.study.study import Study
from metamerbook.study.tasks import MetamerRun, ModelRef
from metamerbook.study.values import NoneByName, Text
from metamerbook.study.words import enumerated, signed
from metamerlib.evaluation import METRICS, Backbone
from metamerlib.evaluation import measure_images as measure
from metamerlib.evaluation.image_metrics.learned import ALEXNET_FILE, INCEPTION_FILE
from metamerlib.models import STAGES, ZOO

DOWNLOADED = "downloaded"


class ImageMetricsSettings(Section):
    """Networks of the learned metrics: None leaves them out, "downloaded" takes the published ones."""

    metric_backbone: Annotated[Text | None, NoneByName] = "densenet121"  # of FID, KID and LPIPS: a key of the study's
    metric_scorer: Annotated[Literal["downloaded"] | None, NoneByName] = None  # of CLIP-IQA


@dataclass(frozen=True)
class ImageMetrics(Task):
    """Every image metric of the metamers of a run; the result is a table."""

    run: MetamerRun
    backbone: ModelRef | str | None  # of FID, KID and LPIPS; "downloaded" for the published networks
    backbone_label: str  # its name in the table
    scorer: str | None  # of CLIP-IQA: "downloaded", or None for none
    downloads: tuple[str, ...] = ()  # the published networks that are here: with one more, more is measured
    metrics: tuple[str, ...] = tuple(METRICS)

    def compute(self, context: Context) -> pd.DataFrame:
        backbone: Any = self.backbone
        if isinstance(backbone, ModelRef):
            # Swin transformers keep the channels in the last dimension.
            last = backbone.key.startswith("swin_")
            feature = Backbone(context.models[backbone.key], self.backbone_label, channels_last=last)
            # The weights that Zhang et al. fitted to human judgements exist for the published networks only.
            unfitted = dataclasses.replace(feature, label=f"{self.backbone_label}, not fitted")
            backbone = {"fid": feature, "kid": feature, "lpips": unfitted}
        images, options = context.metamers(self.run).images, {"backbone": backbone, "scorer": self.scorer}
        return measure(images, context.references, metrics=self.metrics, **options)

    @property
    def cost(self) -> float:
        # In updates of an image: windowed metrics take as long as some thirty.
        return 30.0 * self.run.stimuli.count


def tasks(study: Study) -> list[Task]:
    """List what the chapter computes."""
    return [*recognizability_tasks(study), *image_metrics_runs(study)]


def image_metrics(study: Study) -> pd.DataFrame:
    """Measure the metamers of every set and stage by every image metric.

    One row per model set, stage, metric and image (missing where only the set has a value: FID, KID): model_set, stage,
    what `measure_images` returns, with what the study lacks in reason; n_members and n_wanted (networks of the set that
    ran, and that it should have).
    """
    table = collect(study, image_metrics_runs(study), "image metrics")
    _, _, missing = _backbone(study)
    scorer = study.settings.of(ImageMetricsSettings).metric_scorer
    absent = {"backbone": missing, "scorer": "" if scorer else "no image-text model: metric_scorer is not set"}
    reasons = {key: absent[metric.needs] for key, metric in METRICS.items() if metric.needs and absent[metric.needs]}
    return table.assign(reason=table["metric"].map(reasons).fillna(table["reason"]))


def image_metrics_runs(study: Study) -> list[ImageMetrics]:
    """Describe the measuring of the metamers of every set and stage, in the order of the study's runs."""
    backbone, label, _ = _backbone(study)
    scorer = study.settings.of(ImageMetricsSettings).metric_scorer
    downloads = _downloads() if DOWNLOADED in (backbone, scorer) else ()
    return [ImageMetrics(run, backbone, label, scorer, downloads) for run in study.runs]


def mean_image_metrics(table: pd.DataFrame) -> pd.DataFrame:
    """Average a table of `image_metrics` over images, as Figure 4 shows them.

    One row per model set, stage and metric: model_set, stage, metric, label, direction, mean (or the set's value), sd
    (over images, n - 1), reference_mean (what the references have), n (images behind the mean), n_left_out (images
    without a finite value), reason (why something is missing), n_members, n_wanted.
    """
    rows, cell = [], ["model_set", "stage", "metric", "label", "direction", "n_members", "n_wanted"]
    for names, group in table.groupby(cell, sort=False):
        finite = group[np.isfinite(group["value"])]
        mean, sd, reference = finite["value"].mean(), finite["value"].std(), finite["reference_value"].mean()
        left_out = 0 if group["image"].isna().all() else len(group) - len(finite)
        reason = next(filter(None, group["reason"]), "")
        rows.append((*names[:5], mean, sd, reference, int(finite["n"].sum()), left_out, reason, *names[5:]))
    numbers = ["mean", "sd", "reference_mean", "n", "n_left_out", "reason"]
    return pd.DataFrame(rows, columns=[*cell[:5], *numbers, *cell[5:]])


def metric_agreement(means: pd.DataFrame, recognizability: pd.DataFrame) -> pd.DataFrame:
    """Compare how metrics rank the metamers with their `mean_recognizability` over all evaluators.

    One row per metric: metric, label, learned (whether it asks a trained network), cells (pairs of a set and a stage
    that have both values), rank_correlation (with the metric turned so that higher is better).
    """
    of_all = recognizability[recognizability["evaluators"] == "all"]
    shares = of_all[["model_set", "stage", "mean"]].rename(columns={"mean": "share"})
    table = means.merge(shares, on=["model_set", "stage"], how="left")
    rows = []
    for (key, label, direction), group in table.groupby(["metric", "label", "direction"], sort=False):
        known, sign = group.dropna(subset=["mean", "share"]), 1 if direction == "higher" else -1
        correlation = rank_correlation(sign * known["mean"], known["share"])
        rows.append((key, label, METRICS[key].needs is not None, len(known), correlation))
    return pd.DataFrame(rows, columns=["metric", "label", "learned", "cells", "rank_correlation"])


def absent(means: pd.DataFrame) -> str:
    """Name the metrics that were not measured, each reason in brackets behind those that it is true of."""
    missing = means.groupby("metric", sort=False).filter(lambda group: group["mean"].isna().all())
    rows = missing.drop_duplicates("metric")
    reasons = rows["reason"].str.removesuffix(".").replace("", "no finite value here")
    groups = rows.groupby(reasons, sort=False)["label"]
    return "; ".join(f"{enumerated(labels)} ({reason})" for reason, labels in groups) or "none"


def facts(means: pd.DataFrame, agreement: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of the prose.

    `compared` pairs of a metric and a set have a value at the shallowest and the deepest stage, `worse` of them a worse
    one at the deepest; `learned` and `plain` are the mean agreements of metrics that ask a network and that do not.
    """
    depths = {stage: STAGES.get(stage, stage) for stage in means["stage"].unique()}
    stages = sorted((stage for stage, depth in depths.items() if not isinstance(depth, str)), key=depths.get)
    sign = means["direction"].map({"higher": 1, "lower": -1})
    wide = means.assign(mean=sign * means["mean"]).pivot(index=["metric", "model_set"], columns="stage", values="mean")
    change = (wide[stages[-1]] - wide[stages[0]]).dropna() if len(stages) > 1 else pd.Series(dtype=float)
    of_sets = means[means["metric"].isin(["fid", "kid"]) & means["mean"].notna()]
    groups = agreement.groupby("learned")["rank_correlation"].mean()
    return {
        "n-of-sets": int(of_sets["n"].min()) if len(of_sets) else 0,
        "worse": int((change < 0).sum()),
        "compared": len(change),
        "learned": signed(groups.get(True, np.nan)),
        "plain": signed(groups.get(False, np.nan)),
    }


def _backbone(study: Study) -> tuple[ModelRef | str | None, str, str]:
    """Look up the network of FID, KID and LPIPS: itself, its name in tables, and the reason if there is none."""
    key = study.settings.of(ImageMetricsSettings).metric_backbone
    if key == DOWNLOADED:
        return DOWNLOADED, "", ""
    if key not in study.networks.models:
        why = "is not set" if key is None else f"is {key!r}, whose weights are not there"
        return None, "", f"no network: metric_backbone {why}"
    kind = {"mini": "mini ", "paper-untrained": "untrained "}.get(getattr(study.zoo, "name", ""), "")
    label = key if key not in ZOO or key in study.networks.own else f"{kind}{ZOO[key].table_name}"
    return study.networks.ref(key), label, ""


def _downloads() -> tuple[str, ...]:
    """List what the published networks need and is on this machine."""
    hub = Path(torch.hub.get_dir()) / "checkpoints"
    files = [name for name in (INCEPTION_FILE, ALEXNET_FILE) if (hub / name).is_file()]
    packages = [name for name in ("torch_fidelity", "transformers", "piq") if importlib.util.find_spec(name)]
    hugging_face = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface")) / "hub"
    clip = [path.name for path in sorted(hugging_face.glob("models--openai--clip-*"))]
    return (*files, *packages, *clip)
