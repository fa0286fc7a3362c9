"""The paper's claims, each tested on tables: holds, does not hold, undecided, or cannot be tested, and why."""

from metamerlib.experiments.claims.findings import VERDICTS
from metamerlib.experiments.claims.sections import SECTIONS, claims_by_section, claims_in_short
from metamerlib.experiments.claims.tables import TABLES, TableSchema
from metamerlib.experiments.claims.verdicts import claims_summary, claims_table

__all__ = [
    "SECTIONS",
    "TABLES",
    "VERDICTS",
    "TableSchema",
    "claims_by_section",
    "claims_in_short",
    "claims_summary",
    "claims_table",
]
