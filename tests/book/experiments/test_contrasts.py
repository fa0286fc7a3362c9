"""Paired differences between conditions, and the sentences of the appendices, the thesis part and the claims page."""
