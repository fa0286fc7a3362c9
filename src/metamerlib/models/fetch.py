"""Fetch the published weights of the paper's networks, with a bar."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from metamerlib.models.cache import OnProgress, WeightFile, WeightsCache
from metamerlib.models.published import PUBLISHED


def fetch(
    *keys: str,
    folder: Path | str | None = None,
    force: bool = False,
    progress: bool | None = None,
) -> dict[str, WeightFile]:
    """Fetch the published weights of the paper's networks, as far as they are not there yet.

    Parameters
    ----------
    *keys
        Which networks; all where none is named. Those that are only initialised have no weights to fetch.
    folder
        Where to keep them; None means `weights_folder`.
    force
        Download anew what is there; the old file stays until the new one is checked.
    progress
        Whether to draw a bar; None means where standard error is a terminal, unless ``$METAMERLIB_PROGRESS`` is 0.

    Returns
    -------
    dict of str to WeightFile
        By key.

    Raises
    ------
    KeyError
        If there is no such network.
    DownloadError
        If weights cannot be downloaded; the message says which file to put where instead.
    CorruptWeightsError
        If what came is not what was published.
    """
    cache = WeightsCache(folder)
    wanted = [key for key in keys or PUBLISHED if cache.release(key) is not None]
    fetched = {}
    for key in wanted:
        with _bar(key, progress) as on_progress:
            fetched[key] = cache.fetch(key, force=force, on_progress=on_progress)
    return fetched


@contextmanager
def _bar(key: str, progress: bool | None) -> Iterator[OnProgress]:
    if progress is None:
        asked = os.environ.get("METAMERLIB_PROGRESS", "1").strip().lower()
        progress = asked not in ("", "0", "no", "off", "false") and sys.stderr.isatty()
    with tqdm(desc=key, unit="B", unit_scale=True, disable=not progress) as bar:

        def advance(present: int, total: int | None) -> None:
            bar.total = total
            bar.update(present - bar.n)

        yield advance
