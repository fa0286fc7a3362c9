"""The cache of published weights: each file checked by form, size and hash, and described in a lock file."""

import errno
import gzip
import hashlib
import json
import shutil
import tarfile
import warnings
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from metamerlib.models.checkpoints import check_container
from metamerlib.models.download import DownloadError, Served, download, unwritable
from metamerlib.models.published import PUBLISHED
from metamerlib.models.releases import Release
from metamerlib.models.weights import CorruptWeightsError, MissingWeightsError
from metamerlib.system import atomic_write, weights_folder

OnProgress = Callable[[int, int | None], None]

LOCK = "weights-lock.json"
"""The file in the cache folder that says what each weight file is, by size and SHA-256."""


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
        server that it came from named its hash) or "first use" (no hash is published: it is compared with what was
        there at first).
    """

    path: Path
    bytes: int
    sha256: str
    trust: str


class WeightsCache:
    """A folder of published weights.

    Parameters
    ----------
    folder
        None means `weights_folder`.
    """

    def __init__(self, folder: Path | str | None = None) -> None:
        self.folder = Path(folder) if folder is not None else weights_folder()

    def release(self, key: str) -> Release | None:
        """Name a network's published weights.

        Parameters
        ----------
        key
            The network.

        Returns
        -------
        Release or None
            None for a network that is only initialised.

        Raises
        ------
        KeyError
            If there is no such network.
        """
        if key not in PUBLISHED:
            raise KeyError(f"no network {key!r} in the paper's zoo: there are {', '.join(PUBLISHED)}.")
        find = PUBLISHED[key].release
        return find() if find else None

    def path(self, key: str) -> Path:
        """Name the file that a network's weights are kept in.

        Parameters
        ----------
        key
            The network, with published weights.

        Returns
        -------
        Path
            Whether or not the file exists.
        """
        return self.folder / self._release(key).file

    def available(self, key: str) -> bool:
        """Tell whether a network's weights are there; they are not looked into.

        Parameters
        ----------
        key
            The network.

        Returns
        -------
        bool
            Also for a network that is only initialised.
        """
        return self.release(key) is None or self.path(key).exists()

    def check(self, key: str) -> WeightFile:
        """Compare a network's weight file with what is known about it.

        A file that was put here by hand is entered into the lock file.

        Parameters
        ----------
        key
            The network, with published weights.

        Returns
        -------
        WeightFile
            The file.

        Raises
        ------
        MissingWeightsError
            If it is not there; the message says how it gets there.
        CorruptWeightsError
            If it is something else, cut off or changed.
        """
        release, path = self._release(key), self.path(key)
        if not path.exists():
            raise MissingWeightsError(
                f"no weights of {key!r}: `metamerlib zoo fetch {key}` fetches them. {self.by_hand(key)}"
            )
        known = self._lock().get(release.file)
        try:
            if known is None:
                return self._enter(release, path, path, Served(None, ""))
            if (size := path.stat().st_size) != known["bytes"]:
                raise CorruptWeightsError(f"{path} has {size:,} bytes instead of {known['bytes']:,}.")
            if _sha256(path) != known["sha256"]:
                raise CorruptWeightsError(f"{path} has changed: its SHA-256 is not the one in {LOCK}.")
        except CorruptWeightsError as error:
            raise CorruptWeightsError(
                f"the weights of {key!r} cannot be used: {error} `metamerlib zoo fetch {key}` fetches them anew."
            ) from error
        return WeightFile(path, known["bytes"], known["sha256"], known["trust"])

    def fetch(self, key: str, *, force: bool = False, on_progress: OnProgress | None = None) -> WeightFile:
        """Fetch a network's weights if they are not there or not intact.

        Parameters
        ----------
        key
            The network, with published weights.
        force
            Download anew what is there.
        on_progress
            Called as the bytes come in, as for `download`.

        Returns
        -------
        WeightFile
            The file.

        Raises
        ------
        DownloadError
            If they cannot be downloaded; the message says which file to put where instead.
        CorruptWeightsError
            If what came is not what was published; it is kept under another name.
        """
        release, path = self._release(key), self.path(key)
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / f".{release.file}.lock"):
            if path.exists() and not force:
                try:
                    return self.check(key)
                except CorruptWeightsError:
                    _set_aside(path, "damaged")
            incoming = self.folder / f"{release.file}.incoming"
            try:
                served = self._bring(release, incoming, on_progress)
                return self._enter(release, incoming, path, served)
            except DownloadError as error:
                raise DownloadError(f"{key}: {error} {self.by_hand(key)}") from error
            except CorruptWeightsError as error:
                kept = _set_aside(incoming, "refused")
                raise CorruptWeightsError(f"{key}: {error} It came from {release.url}, see {kept}.") from error

    def _bring(self, release: Release, incoming: Path, on_progress: OnProgress | None) -> Served:
        """Download a file, out of an archive where it lies in one."""
        if not release.member:
            return download(release.url, incoming, on_progress=on_progress)
        archive = self.folder / f"{release.file}.archive"
        if not archive.exists():  # it is complete if it has this name
            download(release.url, archive, on_progress=on_progress)
        try:
            _extract(archive, release.member, incoming)
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            kept = _set_aside(archive, "refused")
            raise DownloadError(f"{release.url} is not the archive that was expected: {error}; see {kept}.") from error
        except OSError as error:
            incoming.unlink(missing_ok=True)
            raise DownloadError(unwritable(incoming, error)) from error
        archive.unlink()
        return Served(None, "")

    def _enter(self, release: Release, found: Path, path: Path, served: Served) -> WeightFile:
        """Check a new file by its form, size and hashes, give it its name and write it down."""
        check_container(found)
        size = found.stat().st_size
        if release.megabytes is not None and abs(size / 2**20 - release.megabytes) > 0.01:
            raise CorruptWeightsError(f"{found} has {size / 2**20:.3f} MB instead of {release.megabytes:.3f}.")
        sha256 = _sha256(found)
        for published in filter(None, (release.sha256, served.sha256)):
            if not sha256.startswith(published):
                raise CorruptWeightsError(f"the SHA-256 of {found} is {sha256}, the published one is {published}…")
        if release.sha1 and (sha1 := _digest(found, "sha1")) != release.sha1:
            raise CorruptWeightsError(f"the SHA-1 of {found} is {sha1}, the published one is {release.sha1}.")
        trust = "published" if release.sha256 or release.sha1 else "server" if served.sha256 else "first use"
        if found != path:
            found.replace(path)
        entry = WeightFile(path, size, sha256, trust)
        self._write_down(release, entry)
        return entry

    def _write_down(self, release: Release, entry: WeightFile) -> None:
        row = {**asdict(entry), "url": release.url}
        del row["path"]
        try:
            with FileLock(self.folder / f".{LOCK}.lock"):
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
            return json.loads(file.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise CorruptWeightsError(
                f"{file} is damaged: remove it, and the files beside it are taken as they are."
            ) from error

    def _release(self, key: str) -> Release:
        release = self.release(key)
        if release is None:
            raise KeyError(f"{key!r} is only initialised: it has no weights to fetch.")
        return release

    def by_hand(self, key: str) -> str:
        """Say which file to put where by hand.

        Parameters
        ----------
        key
            The network, with published weights.

        Returns
        -------
        str
            A sentence for a machine that cannot download.
        """
        release = self._release(key)
        what = f"{release.member} out of {release.url}" if release.member else release.url
        return f"Without a network here: put {what} (see {release.page}) at {self.folder / release.file}."


def _set_aside(path: Path, reason: str) -> Path:
    kept = path.with_name(f"{path.name.removesuffix('.incoming')}.{reason}")
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


_hashed: dict[tuple[int, ...], str] = {}


def _sha256(path: Path) -> str:
    """Hash a file, once per process as long as it stays what it is; a new name does not make it another one."""
    found = path.stat()
    identity = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    if identity not in _hashed:
        _hashed[identity] = _digest(path, "sha256")
    return _hashed[identity]


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()
