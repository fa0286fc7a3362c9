"""Sentences on their way out: chapters glue numbers, and what was run is in `metamerbook.study.words`."""

from metamerbook.ensembles.sentences.about_runs import stimuli, weight_of_verdicts
from metamerbook.study.words import left_out, members, network_label, profile_name, provenance, stage_in_words

__all__ = [
    "left_out",
    "members",
    "network_label",
    "profile_name",
    "provenance",
    "stage_in_words",
    "stimuli",
    "weight_of_verdicts",
]
