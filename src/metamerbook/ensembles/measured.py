"""All tables that claims are tested on, in one mapping."""

from typing import TYPE_CHECKING

import pandas as pd

from metamerbook.ensembles.adversarial_examples import adversarial, restricted
from metamerbook.ensembles.ensemble_size import ensemble_sizes
from metamerbook.ensembles.image_metrics import image_metrics
from metamerbook.ensembles.mixed_models import mixed, mixed_effects
from metamerbook.ensembles.optimisers import optimizers
from metamerbook.ensembles.representational_similarity import divergence

if TYPE_CHECKING:
    from metamerbook.study.study import Study


def measured_tables(study: "Study") -> dict[str, pd.DataFrame]:
    """Collect the tables of a study for `metamerbook.ensembles.claims.claims_table`.

    Parameters
    ----------
    study
        What was run; what the store lacks is computed.

    Returns
    -------
    dict
        By the names of `metamerbook.ensembles.claims.TABLES`.
    """
    sets = mixed(study)
    tables = {
        "recognizability": study.recognizability(),
        "image_metrics": image_metrics(study),
        "divergence": divergence(study),
        "restricted_search": restricted(study),
        "adversarial": adversarial(study),
        "mixed_sets": sets,
        "mixed_effects": mixed_effects(study, sets),
        "optimizers": optimizers(study),
        "ensemble_sizes": ensemble_sizes(study),
    }
    # Rows of networks that no metamers could be made with say why, but are no evidence.
    judged = ("restricted_search", "adversarial", "mixed_sets", "optimizers", "ensemble_sizes")
    return tables | {name: tables[name][tables[name]["reason"] == ""].reset_index(drop=True) for name in judged}
