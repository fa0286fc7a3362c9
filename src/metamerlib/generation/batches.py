"""How many images fit at once: found by trying, and remembered for the next run of the same kind."""

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from metamerlib.models import Classifier
from metamerlib.system import atomic_write, batch_sizes_file


@dataclass(frozen=True)
class Kind:
    """What the memory that a generation takes depends on, for one image.

    Attributes
    ----------
    models, layers
        The ensemble, and the name of each model's tapped module.
    size
        Height and width of the images.
    device
        Where.
    precision, compiled
        How forward passes are computed.
    """

    models: Sequence[Classifier]
    layers: Sequence[str]
    size: tuple[int, int]
    device: torch.device
    precision: str
    compiled: bool

    @property
    def description(self) -> dict[str, Any]:
        """JSON values; models by their names and numbers of weights, a GPU by its name and memory."""
        device: list[Any] = [self.device.type]
        if self.device.type == "cuda":
            card = torch.cuda.get_device_properties(self.device)
            device = [card.name, card.total_memory]
        return {
            "models": [[model.name, sum(weight.numel() for weight in model.parameters())] for model in self.models],
            "layers": list(self.layers),
            "size": list(self.size),
            "device": device,
            "precision": self.precision,
            "compiled": self.compiled,
        }

    @property
    def key(self) -> str:
        """SHA-256 of the description."""
        return hashlib.sha256(json.dumps(self.description, sort_keys=True).encode()).hexdigest()


def remembered(kind: Kind) -> int | None:
    """Look up the largest batch that fitted.

    Parameters
    ----------
    kind
        Of the generation.

    Returns
    -------
    int or None
        Images at once; None if no run of this kind has ever lacked memory.
    """
    entry = _read().get(kind.key)
    images = entry.get("images") if isinstance(entry, Mapping) else None
    return images if isinstance(images, int) and images > 0 else None


def remember(kind: Kind, images: int) -> None:
    """Note the largest batch that fitted; a note that cannot be written is said and goes without.

    Parameters
    ----------
    kind
        Of the generation.
    images
        Images at once.

    Warns
    -----
    RuntimeWarning
        If the file cannot be written.
    """
    entries = dict(_read()) | {kind.key: {"images": images, **kind.description}}
    try:
        with atomic_write(batch_sizes_file()) as draft:
            draft.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        warnings.warn(f"the batch size {images} is not remembered: {error}", RuntimeWarning, stacklevel=2)


def _read() -> Mapping[str, Any]:
    """Read the notes; a file that is not there or not whole notes nothing."""
    try:
        entries = json.loads(batch_sizes_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}
