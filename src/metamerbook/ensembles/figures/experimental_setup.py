"""Tables of the set-up: metrics (Table 1), model sets (Table 2), settings (Table 3), stages, and the zoo's card."""

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from metamerbook.plots.style import FAMILIES, grouped
from metamerbook.plots.tables import book_table, short_number
from metamerbook.study.words import network_label
from metamerlib.evaluation import METRICS
from metamerlib.models import STAGES

_LOOKS_AT = {"pairs": "pair", "sets": "sets", "single images": "image"}


def table_metrics(published: pd.DataFrame) -> Styler:
    """Tabulate the image metrics (paper, Table 1)."""
    rows = []
    for row in published.itertuples():
        metric = METRICS[row.key]
        rows.append(
            {
                "metric": row.abbreviation,
                "measures": f"{row.metric}: {row.description}",
                "looks at": _LOOKS_AT[row.compares] + ", learned" * row.learned,
                "better": f"{'↑' if row.better == 'higher' else '↓'} {row.better}",
                "range": f"{short_number(metric.low)} … {short_number(metric.high)}",
                "of a copy": "its own" if metric.perfect is None else short_number(metric.perfect),
            }
        )
    return book_table(pd.DataFrame(rows), "tab-1", wrap=["measures"])


def table_model_sets(frame: pd.DataFrame) -> Styler:
    """Tabulate the model sets (paper, Table 2)."""
    shown = {
        "model set": frame["model_set"],
        "models in the paper": [", ".join(models) or None for models in frame["paper"]],
        "networks here": [_members(row) for row in frame.itertuples()],
    }
    return book_table(pd.DataFrame(shown), "tab-2", wrap=list(shown)[1:])


def table_settings(frame: pd.DataFrame) -> Styler:
    """Tabulate the hyper-parameters (paper, Table 3), with what section 4 says beside them."""
    shown = frame[["paper", "here"]].assign(field=frame["field"].replace("", None))
    shown.insert(0, "setting", frame["setting"] + ": " + frame["part"])
    return book_table(shown, "tab-3", bold={"here": frame["paper"] != frame["here"]})


def table_stages(stage_table: pd.DataFrame) -> Styler:
    """Tabulate the module that each stage taps (paper, section 4.4)."""
    names = {stage: f"{stage} ({depth:.0%})" for stage, depth in STAGES.items()}
    shown = stage_table.rename(columns={"table_name": "network", "n_blocks": "blocks", **names})
    return book_table(shown[["network", "blocks", *names.values()]], "tab-stages")


def table_zoo(table: pd.DataFrame) -> Styler:
    """Tabulate the networks, with how well the trained ones do."""
    names = {"table_name": "network", "robust_accuracy": "under attack"}
    traits = table["random"], ~table["available"], table["trained_on"].str.contains("distilled"), table["robust"]
    training = np.select(traits, ("untrained", "missing", "distilled", "robust"), "standard")
    families = table["family"].map(lambda family: FAMILIES[family].words)
    shown = table.assign(kind=families + ", " + training)
    shown = shown.rename(columns=names)[["network", "kind", "parameters", "accuracy", "under attack"]]
    formats = {"parameters": grouped, "accuracy": "{:.3f}", "under attack": "{:.3f}"}
    return book_table(shown, "tab-zoo", formats=formats)


def _members(row: object) -> str:
    present, missing = (", ".join(map(network_label, keys)) for keys in (row.members, row.missing))
    if not missing:
        return present
    return f"{present}; without {missing}" if row.runs else f"left out, for want of {missing}"
