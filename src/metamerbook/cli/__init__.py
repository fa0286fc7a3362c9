"""The `metamerlib` command."""

from metamerbook.cli.main import app, main

__all__ = ["app", "main"]
