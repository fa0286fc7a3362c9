"""Buttons that open a chapter on Binder and Colab, and the repository's, where the repository's address is known.

No address stands in the sources: a build takes it from $METAMERLIB_REPOSITORY (and the branch from
$METAMERLIB_BRANCH), or from `repository` in _config.yml.
"""

from __future__ import annotations

import os
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

PROVIDERS = {"binderhub_url": "https://mybinder.org", "colab_url": "https://colab.research.google.com"}


def add_buttons(app: Sphinx, config: Config) -> None:
    """Give the theme the address, and with it the providers."""
    options = config.html_theme_options
    if address := os.environ.get("METAMERLIB_REPOSITORY", "").rstrip("/").removesuffix(".git"):
        options["repository_url"] = address
    if branch := os.environ.get("METAMERLIB_BRANCH"):
        options["repository_branch"] = branch
    if options.get("repository_url"):
        options["use_repository_button"] = True
        options["launch_buttons"] = {**PROVIDERS, "notebook_interface": "jupyterlab"}


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx, before the theme reads its options."""
    app.connect("config-inited", add_buttons, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
