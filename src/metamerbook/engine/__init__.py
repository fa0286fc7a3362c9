"""A result by what it depends on, kept in a store, computed once."""
