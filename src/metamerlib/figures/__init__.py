"""Figures and tables: one function per figure or table of the paper, from results to a picture; nothing is computed."""

from metamerlib.figures.ablations import (
    figure_conditions,
    figure_convergence,
    figure_ensemble_sizes,
    table_conditions,
)
from metamerlib.figures.alterations import figure_alterations
from metamerlib.figures.claims import figure_verdicts, table_claims, table_claims_summary
from metamerlib.figures.examples import figure_examples, figure_stimuli
from metamerlib.figures.explorer import explorer_html
from metamerlib.figures.image_metrics import figure_image_metrics, table_image_metrics, table_metric_agreement
from metamerlib.figures.model_zoo import figure_accuracies, table_model_zoo
from metamerlib.figures.optimisation import figure_optimisation, table_residuals
from metamerlib.figures.process import figure_process
from metamerlib.figures.random_sets import figure_effects, figure_random_sets, table_agreement, table_effects
from metamerlib.figures.recognizability import (
    figure_evaluators,
    figure_recognizability,
    table_criteria,
    table_means,
)
from metamerlib.figures.representation import figure_densities, figure_divergence, table_representation
from metamerlib.figures.restricted_search import figure_restricted, table_restricted
from metamerlib.figures.set_up import table_metrics, table_model_sets, table_settings, table_stages, table_zoo
from metamerlib.figures.success import figure_success, table_success
from metamerlib.figures.transfer import figure_instances, figure_transfer, related_generators

__all__ = [
    "explorer_html",
    "figure_accuracies",
    "figure_alterations",
    "figure_conditions",
    "figure_convergence",
    "figure_densities",
    "figure_divergence",
    "figure_effects",
    "figure_ensemble_sizes",
    "figure_evaluators",
    "figure_examples",
    "figure_image_metrics",
    "figure_instances",
    "figure_optimisation",
    "figure_process",
    "figure_random_sets",
    "figure_recognizability",
    "figure_restricted",
    "figure_stimuli",
    "figure_success",
    "figure_transfer",
    "figure_verdicts",
    "related_generators",
    "table_agreement",
    "table_claims",
    "table_claims_summary",
    "table_conditions",
    "table_criteria",
    "table_effects",
    "table_image_metrics",
    "table_means",
    "table_metric_agreement",
    "table_metrics",
    "table_model_sets",
    "table_model_zoo",
    "table_representation",
    "table_residuals",
    "table_restricted",
    "table_settings",
    "table_stages",
    "table_success",
    "table_zoo",
]
