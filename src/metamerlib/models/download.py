"""One file over HTTP: resumed where it was broken off, whole or not there at all."""

import json
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from metamerlib.models.checkpoints import web_page_title
from metamerlib.system import TROUBLE

_CHUNK = 1 << 20
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of a server that may be another one a little later."""


class DownloadError(OSError):
    """A file could not be downloaded; the message says why."""


class _BrokenOffError(Exception):
    """The connection ended before the file did."""


@dataclass(frozen=True)
class Served:
    """What a server said about a file.

    Attributes
    ----------
    size
        Its size in bytes; None if not said.
    sha256
        Its SHA-256; empty if not said. The Hugging Face Hub says it on the way to the file.
    """

    size: int | None
    sha256: str


def download(
    url: str,
    target: Path,
    *,
    on_progress: Callable[[int, int | None], None] | None = None,
    attempts: int = 5,
    pause: float = 1.0,
    timeout: float = 30.0,
) -> Served:
    """Download a file; what is there from an earlier attempt is not downloaded again.

    The bytes gather in ``<target>.part`` beside a note of what they are part of. Only a file that is complete by the
    server's own measure gets its name.

    Parameters
    ----------
    url
        Where it is.
    target
        Where it goes.
    on_progress
        Called with the bytes that are there and the bytes in all (None if not known), as they come in.
    attempts
        How often to go on after the connection broke without a byte in between.
    pause
        Seconds before the second attempt; they double with each.
    timeout
        Seconds without an answer that count as a broken connection.

    Returns
    -------
    Served
        Size and hash as the server gives them.

    Raises
    ------
    DownloadError
        If the server cannot be reached, refuses, sends a web page in place of the file or breaks off for good, or
        the disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(url, target)
    failures = 0
    while True:
        before = part.size
        try:
            served = _transfer(part, on_progress, timeout)
        except _BrokenOffError as broken:
            failures = 0 if part.size > before else failures + 1
            if failures >= attempts:
                raise DownloadError(
                    f"{urlsplit(url).hostname} broke off {attempts} times in a row ({broken}); {part.size:,} bytes "
                    "are kept, and the same command goes on from there."
                ) from None
            time.sleep(pause * 2 ** max(failures - 1, 0))
        except DownloadError:
            raise
        except OSError as error:
            raise DownloadError(f"{unwritable(part.path, error)} {part.size:,} bytes are kept.") from error
        else:
            part.finish()
            return served


def unwritable(path: Path, error: OSError) -> str:
    """Say that a file of the cache cannot be written.

    Parameters
    ----------
    path
        The file.
    error
        The system's reason.

    Returns
    -------
    str
        A sentence with what to do.
    """
    trouble = TROUBLE.get(error.errno, "takes no more")
    reason = error.strerror or error
    return (
        f"{path} cannot be written: the folder {path.parent} {trouble}, or set METAMERLIB_WEIGHTS to a folder "
        f"elsewhere ({reason})."
    )


class _Part:
    """A file on its way: the bytes so far and a note of what they are part of."""

    def __init__(self, url: str, target: Path) -> None:
        self.url, self.target = url, target
        self.path = target.with_name(target.name + ".part")
        self.note = target.with_name(target.name + ".part.json")
        if self._read_note().get("url") != url:
            self.discard()

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def validator(self) -> str:
        return self._read_note().get("validator", "")

    @property
    def total(self) -> int | None:
        return self._read_note().get("total")

    def begin(self, validator: str, total: int | None) -> None:
        self.discard()
        self.path.touch()
        self.note.write_text(json.dumps({"url": self.url, "validator": validator, "total": total}), "utf-8")

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def finish(self) -> None:
        with self.path.open("rb+") as stream:
            os.fsync(stream.fileno())
        self.path.replace(self.target)
        self.note.unlink(missing_ok=True)

    def _read_note(self) -> dict[str, Any]:
        try:
            return json.loads(self.note.read_text("utf-8"))
        except (OSError, ValueError):
            return {}


class _RememberHash(urllib.request.HTTPRedirectHandler):
    """Keeps the SHA-256 that the Hugging Face Hub names before it redirects to its storage."""

    def __init__(self) -> None:
        self.sha256 = ""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        self.sha256 = _sha256_in(headers) or self.sha256
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _transfer(part: _Part, on_progress: Callable[[int, int | None], None] | None, timeout: float) -> Served:
    """Ask for what is missing and write it down."""
    redirects = _RememberHash()
    opener = urllib.request.build_opener(redirects)
    request = urllib.request.Request(part.url, headers={"User-Agent": "metamerlib", "Accept-Encoding": "identity"})
    if part.size:
        request.add_header("Range", f"bytes={part.size}-")
        if part.validator:
            request.add_header("If-Range", part.validator)
    try:
        response = opener.open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        return _after_refusal(part, error, redirects.sha256)
    except (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException) as error:
        raise _unreachable(part, error) from error
    with response:
        total = _total(response, part.size)
        if response.status != 206 or total is None or (part.total or total) != total:
            if response.status == 206:  # of another file than the one that the beginning is from
                part.discard()
                raise _BrokenOffError("the file changed in the meantime")
            total = _length(response)
            part.begin(response.headers.get("ETag") or response.headers.get("Last-Modified") or "", total)
        _append(response, part, total, on_progress)
    if total is not None and part.size != total:
        raise _BrokenOffError(f"after {part.size:,} of {total:,} bytes")
    return Served(total, redirects.sha256 or _sha256_in(response.headers))


def _append(
    response: HTTPResponse, part: _Part, total: int | None, on_progress: Callable[[int, int | None], None] | None
) -> None:
    free = shutil.disk_usage(part.path.parent).free
    if total is not None and total - part.size > free:
        raise DownloadError(
            f"the disk of {part.path.parent} has {free / 1e6:,.0f} MB left and {(total - part.size) / 1e6:,.0f} MB are "
            "missing: make room, or set METAMERLIB_WEIGHTS to a folder elsewhere."
        )
    written = part.size
    with part.path.open("ab") as stream:
        while True:
            try:
                chunk = response.read(_CHUNK)
            except (TimeoutError, ConnectionError, HTTPException) as error:
                raise _BrokenOffError(str(error) or type(error).__name__) from error
            if not chunk:
                return
            if written == 0 and (title := web_page_title(chunk[:4096])):
                part.discard()
                raise DownloadError(f"{urlsplit(part.url).hostname} sent a web page in place of the file: {title}.")
            stream.write(chunk)
            written += len(chunk)
            if on_progress is not None:
                on_progress(written, total)


def _after_refusal(part: _Part, error: urllib.error.HTTPError, sha256: str) -> Served:
    """Tell a range that is empty because nothing is missing, a passing trouble and a refusal apart."""
    with error:
        if error.code == 416:
            if part.size and part.size == part.total:
                return Served(part.total, sha256)
            part.discard()
            raise _BrokenOffError("the file changed in the meantime")
        if error.code in _PASSING:
            raise _BrokenOffError(f"answer {error.code} {error.reason}")
    raise DownloadError(f"{urlsplit(part.url).hostname} refused {part.url}: {error.code} {error.reason}.")


def _unreachable(part: _Part, error: Exception) -> Exception:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError | ConnectionResetError | HTTPException):  # there is a server
        return _BrokenOffError(str(reason) or type(reason).__name__)
    return DownloadError(f"{urlsplit(part.url).hostname} cannot be reached: {reason}.")


def _total(response: HTTPResponse, start: int) -> int | None:
    """Read the whole file's size out of a partial answer that begins where it should."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    return int(found[2]) if found and int(found[1]) == start else None


def _length(response: HTTPResponse) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _sha256_in(headers: Any) -> str:
    tag = (headers.get("X-Linked-ETag") or "").removeprefix("W/").strip('"')
    return tag.lower() if re.fullmatch(r"[0-9a-fA-F]{64}", tag) else ""
