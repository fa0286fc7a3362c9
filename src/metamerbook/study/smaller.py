"""The names that chapters use until they call a study's own `subset` and `scope`."""

from metamerbook.study.study import Study, first_of_each_category

subset_study, scope = Study.subset, Study.scope
__all__ = ["first_of_each_category", "scope", "subset_study"]
