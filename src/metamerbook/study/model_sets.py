"""The names that chapters use until they import them from `networks`."""

from metamerbook.study.networks import ModelSet, check_keys, set_sizes

__all__ = ["ModelSet", "check_keys", "set_sizes"]
