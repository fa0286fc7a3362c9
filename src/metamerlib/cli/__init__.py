"""The `metamerlib` command."""

from metamerlib.cli.main import app, main

__all__ = ["app", "main"]
