"""The cache of published weights: fetched by pooch or from the Hugging Face Hub, checked, noted in a lock file."""

import errno
import gzip
import json
import os
import secrets
import shutil
import sys
import tarfile
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from metamerlib.checks import file_path
from metamerlib.models.checkpoints import check_container
from metamerlib.models.published import PUBLISHED, Release
from metamerlib.models.robustbench import PREFIX, published_network
from metamerlib.models.weights import CorruptWeightsError, MissingWeightsError, file_hash
from metamerlib.system import TROUBLE, atomic_write, weights_folder

LOCK = "weights-lock.json"
"""The registry of the cache folder: what each weight file is, by size and SHA-256."""

RETRIES = 3
"""How often a download is begun again that broke off."""


class DownloadError(OSError):
    """A file could not be downloaded; the message says why, and which file to put where instead."""


@dataclass(frozen=True)
class WeightFile:
    """A weight file in the cache, checked.

    Attributes
    ----------
    path
        Where it is.
    bytes
        Its size.
    sha256
        Its hash.
    trust
        Why it is taken to be the published one: "published" (its hash is known from its publisher), "server" (the
        Hugging Face Hub names its hash) or "first use" (no hash is published: it is compared with what was there at
        first).
    """

    path: Path
    bytes: int
    sha256: str
    trust: str


class WeightsCache:
    """A folder of published weights; None means `weights_folder`."""

    def __init__(self, folder: Path | str | None = None) -> None:
        self.folder = file_path(folder, "folder") if folder is not None else weights_folder()

    def release(self, key: str) -> Release | None:
        """Name a network's published weights; None for a network that is only initialised."""
        if key not in PUBLISHED and not key.startswith(PREFIX):
            raise KeyError(f"no network {key!r} in the paper's zoo: there are {', '.join(PUBLISHED)}.")
        find = published_network(key).release
        return find() if find else None

    def path(self, key: str) -> Path:
        """Name the file that a network's weights are kept in, whether or not it exists."""
        return self.folder / self._release(key).file

    def available(self, key: str) -> bool:
        """Return whether a network's weights are there, or it needs none; they are not looked into."""
        return self.release(key) is None or self.path(key).exists()

    def by_hand(self, key: str, release: Release | None = None) -> str:
        """Say which file to put where on a machine that cannot download."""
        release = release or self._release(key)
        what = f"{release.member} out of {release.url}" if release.member else release.url
        return f"Without a network here: put {what} (see {release.page}) at {self.folder / release.file}."

    def check(self, key: str, release: Release | None = None) -> WeightFile:
        """Compare a network's weight file with what is known of it; one put here by hand is entered as it is found.

        A `release` of one's own takes the place of the network's.
        """
        release = release or self._release(key)
        path, how = self.folder / release.file, f"`metamerlib zoo fetch {key}` fetches them"
        if not path.exists():
            raise MissingWeightsError(f"no weights of {key!r}: {how}. {self.by_hand(key, release)}")
        known = self._lock().get(release.file)
        try:
            if known is None:
                return self._enter(release, path, path, "")
            if (size := path.stat().st_size) != known["bytes"]:
                raise CorruptWeightsError(f"{path} has {size:,} bytes instead of {known['bytes']:,}.")
            if file_hash(path) != known["sha256"]:
                raise CorruptWeightsError(f"{path} has changed: its SHA-256 is not the one in {LOCK}.")
        except CorruptWeightsError as error:
            raise CorruptWeightsError(f"the weights of {key!r} cannot be used: {error} {how} anew.") from error
        return WeightFile(path, known["bytes"], known["sha256"], known["trust"])

    def fetch(
        self, key: str, release: Release | None = None, *, force: bool = False, progress: bool = False
    ) -> WeightFile:
        """Fetch a network's weights if they are not there or not intact, or in any case."""
        release = release or self._release(key)
        path = self.folder / release.file
        if path.exists() and not force:
            try:
                return self.check(key, release)
            except CorruptWeightsError:
                _set_aside(path, f"{release.file}.damaged")
        incoming = self.folder / f"{release.file}.{secrets.token_hex(4)}.incoming"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            served = self._bring(release, incoming, progress)
            return self._enter(release, incoming, path, served)
        except CorruptWeightsError as error:
            kept = _set_aside(incoming, f"{release.file}.refused")
            raise CorruptWeightsError(
                f"{key}: {error} It came from {release.url}, see {kept}. {self.by_hand(key, release)}"
            ) from error
        except OSError as error:
            incoming.unlink(missing_ok=True)
            raise DownloadError(f"{key}: {self._reason(release, error)} {self.by_hand(key, release)}") from error

    def _bring(self, release: Release, incoming: Path, progress: bool) -> str:
        """Download a file, out of an archive where it lies in one; return the hash that the server names, if any."""
        if release.hub:
            return self._from_hub(release, incoming)
        if not release.member:
            _download(release.url, incoming, progress)
            return ""
        archive = self.folder / f"{release.file}.archive"
        if not archive.exists():  # it is complete if it has this name
            _download(release.url, archive, progress)
        try:
            _extract(archive, release.member, incoming)
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            kept = _set_aside(archive, f"{archive.name}.refused")
            raise DownloadError(f"{release.url} is not the archive that was expected: {error}; see {kept}.") from error
        archive.unlink()
        return ""

    def _from_hub(self, release: Release, incoming: Path) -> str:
        from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

        metadata = get_hf_file_metadata(hf_hub_url(release.hub, "model.safetensors"))
        # The Hub's own cache, which timm uses too; what is there is not downloaded again.
        found = Path(hf_hub_download(release.hub, "model.safetensors")).resolve()
        try:
            os.link(found, incoming)
        except OSError:  # another disk
            shutil.copyfile(found, incoming)
        return metadata.etag if metadata.etag and len(metadata.etag) == 64 else ""

    def _reason(self, release: Release, error: OSError) -> str:
        if isinstance(error, DownloadError):
            return str(error)
        if error.errno in TROUBLE:
            return (
                f"the folder {self.folder} {TROUBLE[error.errno]}, or set METAMERLIB_WEIGHTS to a folder elsewhere "
                f"({error.strerror})."
            )
        host, response = urlsplit(release.url).hostname, getattr(error, "response", None)
        if response is not None:
            return f"{host} refused {release.url}: {response.status_code} {response.reason}."
        return f"{host} cannot be reached, or broke off: {' '.join(str(error).split())[:300]}."

    def _enter(self, release: Release, found: Path, path: Path, served: str) -> WeightFile:
        """Check a new file by its form, size and hashes, give it its name and write it down."""
        check_container(found)
        size = found.stat().st_size
        if release.megabytes is not None and abs(size / 2**20 - release.megabytes) > 0.01:
            raise CorruptWeightsError(f"{found} has {size / 2**20:.3f} MB instead of {release.megabytes:.3f}.")
        sha256 = file_hash(found)
        for published in filter(None, (release.sha256, served)):
            if not sha256.startswith(published):
                raise CorruptWeightsError(f"the SHA-256 of {found} is {sha256}, the published one is {published}…")
        if release.sha1 and (sha1 := file_hash(found, "sha1")) != release.sha1:
            raise CorruptWeightsError(f"the SHA-1 of {found} is {sha1}, the published one is {release.sha1}.")
        trust = "published" if release.sha256 or release.sha1 else "server" if served else "first use"
        if found != path:
            found.replace(path)
        entry = WeightFile(path, size, sha256, trust)
        self._write_down(release, entry)
        return entry

    def _write_down(self, release: Release, entry: WeightFile) -> None:
        row = {"bytes": entry.bytes, "sha256": entry.sha256, "trust": entry.trust, "url": release.url}
        try:
            rows = dict(sorted((self._lock() | {release.file: row}).items()))
            with atomic_write(self.folder / LOCK) as draft:
                draft.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n", "utf-8")
        except OSError as error:
            # A folder that others filled and that cannot be written to: its files are checked each time as new ones.
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                warnings.warn(
                    f"what {entry.path.name} is could not be noted in {LOCK}: {error} Until it can be, a change of the "
                    "file goes unnoticed if its publisher names no hash.",
                    RuntimeWarning,
                    stacklevel=4,
                )

    def _lock(self) -> dict[str, dict]:
        file = self.folder / LOCK
        try:
            return json.loads(file.read_text("utf-8")) if file.exists() else {}
        except ValueError as error:
            raise CorruptWeightsError(
                f"{file} is damaged: remove it, and the files beside it are taken as they are."
            ) from error

    def _release(self, key: str) -> Release:
        release = self.release(key)
        if release is None:
            raise KeyError(f"{key!r} is only initialised: it has no weights to fetch.")
        return release


def fetch(
    *keys: str, folder: Path | str | None = None, force: bool = False, progress: bool | None = None
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
    if progress is None:
        asked = os.environ.get("METAMERLIB_PROGRESS", "1").strip().lower()
        progress = asked not in ("", "0", "no", "off", "false") and sys.stderr.isatty()
    weights = WeightsCache(folder)
    wanted = [key for key in keys or PUBLISHED if weights.release(key) is not None]
    return {key: weights.fetch(key, force=force, progress=progress) for key in wanted}


def _download(url: str, target: Path, progress: bool) -> None:
    """Download a file, whole or not at all."""
    import pooch

    pooch.get_logger().setLevel("WARNING")
    name = target.name
    pup = pooch.create(target.parent, "", registry={name: None}, urls={name: url}, retry_if_failed=RETRIES)
    pup.fetch(name, downloader=pooch.HTTPDownloader(progressbar=progress, headers={"User-Agent": "metamerlib"}))


def _set_aside(path: Path, name: str) -> Path:
    kept = path.with_name(name)
    if path.exists():
        path.replace(kept)
    return kept


def _extract(archive: Path, member: str, target: Path) -> None:
    with tarfile.open(archive) as tar:
        entry = next((entry for entry in tar if entry.isfile() and Path(entry.name).name == member), None)
        source = entry and tar.extractfile(entry)
        if not source:
            raise EOFError(f"{member} is not in it")
        with target.open("wb") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)
