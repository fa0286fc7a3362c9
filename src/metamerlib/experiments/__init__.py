"""Experiments: what is run, how it is computed once, and the tables that come out.

A `Study` turns a profile's settings into specs, which name their results for good; the `Store` keeps those results;
the other modules make tables and pictures of them.
"""

from metamerlib.experiments.ablations import ablation_study, convergence, mode_runs, modes, optimizer_runs, optimizers
from metamerlib.experiments.alterations import Alterations, alterations
from metamerlib.experiments.appearance import image_metrics, mean_image_metrics
from metamerlib.experiments.connection import ClusterError
from metamerlib.experiments.criteria import criteria_table
from metamerlib.experiments.ensembles import ensemble_pool, ensemble_sizes
from metamerlib.experiments.execute import Execution, Materials, compute
from metamerlib.experiments.exploration import Exploration, ExploredRun, explore
from metamerlib.experiments.measured import measured_tables
from metamerlib.experiments.model_sets import ModelSet, resolve_model_sets
from metamerlib.experiments.networks import Networks
from metamerlib.experiments.panels import PanelRun, judge, mean_over_evaluators
from metamerlib.experiments.pictures import examples, one_per_category, spread_over_categories, write_pictures
from metamerlib.experiments.plan import Plan, plan_study
from metamerlib.experiments.process import Overview, featured_set, featured_stage, overview
from metamerlib.experiments.published import published, published_means, published_names, statement
from metamerlib.experiments.random_sets import mixed, mixed_agreement, mixed_effects, mixed_means, mixed_study
from metamerlib.experiments.recognition import (
    evaluate_runs,
    mean_recognizability,
    overall_recognizability,
    recognizability,
    residual_history,
    residuals,
)
from metamerlib.experiments.representation import distance_correlations, distance_densities, divergence
from metamerlib.experiments.restricted_search import adversarial, restricted, restricted_example, restricted_study
from metamerlib.experiments.runs import MetamerRun, ModelRef, StimuliRef, model_fingerprint
from metamerlib.experiments.sentences import network_label
from metamerlib.experiments.set_up import model_sets_table, settings_table
from metamerlib.experiments.settings import StudySettings
from metamerlib.experiments.smaller import scope
from metamerlib.experiments.snapshots import TrajectoryRun
from metamerlib.experiments.spec import Spec, canonical_json, digest
from metamerlib.experiments.store import CorruptResultWarning, MissingResultError, Store, StoreError
from metamerlib.experiments.study import Study
from metamerlib.experiments.success import metamer_success, success_counts
from metamerlib.experiments.summaries import (
    common_judge,
    densities_of_sets,
    divergence_agreement,
    mean_representation,
    metric_agreement,
    restricted_means,
)
from metamerlib.experiments.table_settings import TableSettings
from metamerlib.experiments.trajectories import Trajectory, trajectory
from metamerlib.experiments.transferability import mean_transfer, transfer, transfer_generators

__all__ = [
    "Alterations",
    "ClusterError",
    "CorruptResultWarning",
    "Execution",
    "Exploration",
    "ExploredRun",
    "Materials",
    "MetamerRun",
    "MissingResultError",
    "ModelRef",
    "ModelSet",
    "Networks",
    "Overview",
    "PanelRun",
    "Plan",
    "Spec",
    "StimuliRef",
    "Store",
    "StoreError",
    "Study",
    "StudySettings",
    "TableSettings",
    "Trajectory",
    "TrajectoryRun",
    "ablation_study",
    "adversarial",
    "alterations",
    "canonical_json",
    "common_judge",
    "compute",
    "convergence",
    "criteria_table",
    "densities_of_sets",
    "digest",
    "distance_correlations",
    "distance_densities",
    "divergence",
    "divergence_agreement",
    "ensemble_pool",
    "ensemble_sizes",
    "evaluate_runs",
    "examples",
    "explore",
    "featured_set",
    "featured_stage",
    "image_metrics",
    "judge",
    "mean_image_metrics",
    "mean_over_evaluators",
    "mean_recognizability",
    "mean_representation",
    "mean_transfer",
    "measured_tables",
    "metamer_success",
    "metric_agreement",
    "mixed",
    "mixed_agreement",
    "mixed_effects",
    "mixed_means",
    "mixed_study",
    "mode_runs",
    "model_fingerprint",
    "model_sets_table",
    "modes",
    "network_label",
    "one_per_category",
    "optimizer_runs",
    "optimizers",
    "overall_recognizability",
    "overview",
    "plan_study",
    "published",
    "published_means",
    "published_names",
    "recognizability",
    "residual_history",
    "residuals",
    "resolve_model_sets",
    "restricted",
    "restricted_example",
    "restricted_means",
    "restricted_study",
    "scope",
    "settings_table",
    "spread_over_categories",
    "statement",
    "success_counts",
    "trajectory",
    "transfer",
    "transfer_generators",
    "write_pictures",
]
