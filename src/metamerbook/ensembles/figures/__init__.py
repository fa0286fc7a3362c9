"""Figures and tables, from results to a picture; nothing is computed. One module per chapter."""
