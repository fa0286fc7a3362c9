"""Experiments: what is run, how it is computed once, and the tables that come out.

A `Study` turns a profile's settings into specs, which name their results for good; the `Store` keeps those results;
the other modules make tables and pictures of them.
"""

from metamerlib.experiments.execute import Execution, Materials, compute
from metamerlib.experiments.model_sets import ModelSet, resolve_model_sets
from metamerlib.experiments.networks import Networks
from metamerlib.experiments.pictures import examples, one_per_category, write_pictures
from metamerlib.experiments.published import published, published_names, statement
from metamerlib.experiments.recognition import (
    evaluate_runs,
    mean_recognizability,
    overall_recognizability,
    recognizability,
    residual_history,
    residuals,
)
from metamerlib.experiments.runs import MetamerRun, ModelRef, RecognizabilityRun, StimuliRef, model_fingerprint
from metamerlib.experiments.settings import StudySettings
from metamerlib.experiments.spec import Spec, canonical_json, digest
from metamerlib.experiments.store import CorruptResultWarning, MissingResultError, Store, StoreError
from metamerlib.experiments.study import Study
from metamerlib.experiments.trajectories import Trajectory, TrajectoryRun, trajectory

__all__ = [
    "CorruptResultWarning",
    "Execution",
    "Materials",
    "MetamerRun",
    "MissingResultError",
    "ModelRef",
    "ModelSet",
    "Networks",
    "RecognizabilityRun",
    "Spec",
    "StimuliRef",
    "Store",
    "StoreError",
    "Study",
    "StudySettings",
    "Trajectory",
    "TrajectoryRun",
    "canonical_json",
    "compute",
    "digest",
    "evaluate_runs",
    "examples",
    "mean_recognizability",
    "model_fingerprint",
    "one_per_category",
    "overall_recognizability",
    "published",
    "published_names",
    "recognizability",
    "residual_history",
    "residuals",
    "resolve_model_sets",
    "statement",
    "trajectory",
    "write_pictures",
]
