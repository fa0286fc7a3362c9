"""Figures and tables: one function per figure or table of the paper, from results to a picture; nothing is computed."""

from metamerlib.figures.alterations import figure_alterations
from metamerlib.figures.examples import figure_examples, figure_stimuli
from metamerlib.figures.explorer import explorer_html
from metamerlib.figures.optimisation import figure_optimisation, table_residuals
from metamerlib.figures.process import figure_process
from metamerlib.figures.recognizability import (
    figure_evaluators,
    figure_recognizability,
    table_criteria,
    table_means,
)
from metamerlib.figures.set_up import table_metrics, table_model_sets, table_settings, table_stages, table_zoo

__all__ = [
    "explorer_html",
    "figure_alterations",
    "figure_evaluators",
    "figure_examples",
    "figure_optimisation",
    "figure_process",
    "figure_recognizability",
    "figure_stimuli",
    "table_criteria",
    "table_means",
    "table_metrics",
    "table_model_sets",
    "table_residuals",
    "table_settings",
    "table_stages",
    "table_zoo",
]
