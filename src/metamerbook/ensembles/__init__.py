"""Ensemble metamers (Boehm et al., 2025, and the thesis behind it): one module per chapter."""
