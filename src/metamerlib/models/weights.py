"""The miniature zoo's weights on disk: float16 safetensors and the card that describes them."""

import hashlib
import json
from functools import cache
from importlib.resources import files
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from metamerlib.checks import file_path
from metamerlib.system import atomic_write


class MissingWeightsError(FileNotFoundError):
    """The weights of a network are not there."""


class CorruptWeightsError(RuntimeError):
    """A weight file is not what its card says."""


def zoo_folder() -> Path:
    """Find what comes with the library about networks, in the installed package or the repository's data/zoo."""
    package = Path(str(files("metamerlib")))
    installed = package / "_bundled" / "zoo"
    return installed if installed.exists() else package.parents[1] / "data" / "zoo"


class WeightsFolder:
    """A folder with one weight file per network and one card; by default that of the bundled zoo."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = file_path(path, "weights") if path is not None else zoo_folder() / "mini"

    def file(self, key: str) -> Path:
        """Name a network's weight file, whether or not it exists."""
        return self.path / f"{key}.safetensors"

    def card(self) -> dict[str, dict]:
        """Read the card: key to sha256, size, accuracy, recipe; empty where there is none."""
        card = self.path / "card.json"
        if not card.exists():
            return {}
        try:
            return json.loads(card.read_text("utf-8"))
        except ValueError as error:
            raise CorruptWeightsError(
                f"{card} is damaged ({error}). Restore the file (git checkout), or remove it: then no weights are "
                "known, and `metamerlib train` makes them anew."
            ) from error

    def record(self, key: str, row: dict) -> None:
        """Write a network's description into the card, with its file's name, size and sha256."""
        file = self.file(key)
        if file.exists():
            row = row | {"file": file.name, "bytes": file.stat().st_size, "sha256": self.sha256(key)}
        card = self.card() | {key: row}
        with atomic_write(self.path / "card.json") as draft:
            draft.write_text(json.dumps(dict(sorted(card.items())), indent=1, sort_keys=True) + "\n", "utf-8")

    def sha256(self, key: str) -> str:
        """Hash a network's weight file."""
        return file_hash(self.file(key))

    def write(self, network: nn.Module, key: str) -> None:
        """Write weights as float16, whole or not at all."""
        state = {
            name: (value.half() if value.is_floating_point() else value).contiguous()
            for name, value in network.state_dict().items()
        }
        with atomic_write(self.file(key)) as draft:
            draft.write_bytes(save(state))

    def load_into(self, network: nn.Module, key: str) -> None:
        """Load a network's weights into a module, as float32."""
        file = self.file(key)
        if not file.exists():
            raise MissingWeightsError(
                f"no weights of {key!r}: {file} does not exist. `metamerlib train {key}` makes them."
            )
        expected = self.card().get(key, {}).get("sha256")
        if expected is not None and self.sha256(key) != expected:
            raise CorruptWeightsError(
                f"the weights of {key!r} are damaged or of another version: {file} does not have the sha256 that "
                f"card.json names. Restore the file (git checkout), or train it anew: `metamerlib train {key} --force`."
            )
        try:
            state = load_file(file)
        except SafetensorError as error:
            raise CorruptWeightsError(f"{file} is not a readable safetensors file: {error}") from error
        network.load_state_dict({n: v.float() if v.dtype == torch.float16 else v for n, v in state.items()})


def file_hash(path: Path, algorithm: str = "sha256") -> str:
    """Hash a file, once per process as long as it stays what it is."""
    found = path.stat()
    return _hash_of(path, algorithm, found.st_size, found.st_mtime_ns)


@cache
def _hash_of(path: Path, algorithm: str, size: int, modified: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()
