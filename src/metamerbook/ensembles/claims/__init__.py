"""The paper's claims, each tested on tables: holds, does not hold, undecided, or cannot be tested, and why."""

from metamerbook.ensembles.claims.findings import VERDICTS
from metamerbook.ensembles.claims.sections import SECTIONS, claims_by_section, claims_in_short
from metamerbook.ensembles.claims.tables import TABLES, TableSchema
from metamerbook.ensembles.claims.verdicts import claims_summary, claims_table

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
