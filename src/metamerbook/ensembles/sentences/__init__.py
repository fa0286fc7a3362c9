"""Sentences that are on their way out: chapters glue numbers, and what was run is in `metamerbook.study.words`."""

from metamerbook.ensembles.sentences.about_results import comparisons, descent, evaluate, trend
from metamerbook.ensembles.sentences.about_runs import comparable, reduced, schedule, stimuli, weight_of_verdicts
from metamerbook.study.words import left_out, members, network_label, profile_name, provenance, stage_in_words

__all__ = [
    "comparable",
    "comparisons",
    "descent",
    "evaluate",
    "left_out",
    "members",
    "network_label",
    "profile_name",
    "provenance",
    "reduced",
    "schedule",
    "stage_in_words",
    "stimuli",
    "trend",
    "weight_of_verdicts",
]
