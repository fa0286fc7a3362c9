"""Other people's checkpoints: read without running what is in them, and brought to a network's own names."""

import pickletools
import re
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from metamerlib.models.weights import CorruptWeightsError

StateDict = dict[str, Tensor]

_NESTS = ("state_dict", "model", "model_state_dict", "net")
"""Where checkpoints keep the weights, beside the optimiser and the like."""

_WRAPPERS = re.compile(r"^(?:module\.|model\.|_orig_mod\.)+")
"""What data parallelism, a normalisation in front of the network and compilation put before every name."""

_NORMALISATION = re.compile(
    r"^(?:module\.)*(?:(?:normali[sz]er?|preproc(?:\.normali[sz]er?)?)\.)?(?:new_)?(mean|std|mu|sigma)$"
)
_NOT_THE_NETWORK = re.compile(r"^(?:module\.)*(?:attacker|preproc|normali[sz]er?)\.")
"""The adversary that MadryLab's robustness library saves beside the network, and normalisation modules."""


class _Leftover:
    """Takes the place of every foreign object in a checkpoint: it can be made, called and filled, and does nothing."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def _nothing(self, *_: object, **__: object) -> "_Leftover":
        return self

    __call__ = __setstate__ = __setitem__ = append = extend = _nothing


def check_container(file: Path) -> None:
    """Refuse a file that is empty, a web page, cut off, or of no known form; its weights are not read."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        head = stream.read(4096)
    if size == 0:
        raise CorruptWeightsError(f"{file} is empty.")
    if title := web_page_title(head):
        raise CorruptWeightsError(f"{file} is a web page ({title}), not weights.")
    if head.startswith(b"PK\x03\x04"):
        if not zipfile.is_zipfile(file):  # the directory at the end is missing
            raise CorruptWeightsError(f"{file} is cut off: a checkpoint of {size:,} bytes without its end.")
    elif file.suffix == ".safetensors" or head[8:9] == b"{":
        try:
            safe_open(file, framework="pt")
        except SafetensorError as error:
            raise CorruptWeightsError(
                f"{file} is not a safetensors file, or is cut off or damaged ({size:,} bytes; {error})."
            ) from error
    elif not head.startswith(b"\x80"):  # the first byte of a pickle, torch's form before 1.6
        raise CorruptWeightsError(f"{file} is not a checkpoint: it begins with {head[:12]!r}.")


def web_page_title(head: bytes) -> str:
    """Return a web page's title, or words for its lack, of the first bytes of a file; empty if it is none."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").decode("utf-8", "replace")
    if not re.match(r"<(?:!doctype html|html|head|\?xml)", text, re.IGNORECASE):
        return ""
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return " ".join(title[1].split()) if title else "without a title"


def read_checkpoint(file: Path) -> Any:
    """Read a safetensors file or one of `torch.save`, tensors only and on the CPU.

    Nothing of a pickle is executed (``weights_only=True``). Objects beside the tensors, such as a training's settings
    or numpy's numbers, do not keep a checkpoint from being read: each is replaced by an inert stand-in.
    """
    check_container(file)
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except UnpicklingError:
            with torch.serialization.safe_globals([(_Leftover, name) for name in _foreign_names(file)]):
                return torch.load(file, map_location="cpu", weights_only=True)
    except (UnpicklingError, SafetensorError, RuntimeError, EOFError, ValueError, KeyError, struct.error) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CorruptWeightsError(f"{file} cannot be read as weights, it is damaged or cut off: {reason}") from error


def state_of(checkpoint: Any, file: Path) -> tuple[StateDict, dict[str, tuple[float, ...]]]:
    """Find a network's weights in a checkpoint, by the bare network's names, and the normalisation saved with them."""
    for _ in range(3):
        entries = checkpoint if isinstance(checkpoint, Mapping) else {}
        checkpoint = next((entries[key] for key in _NESTS if isinstance(entries.get(key), Mapping)), checkpoint)
    entries = checkpoint if isinstance(checkpoint, Mapping) else {}
    tensors = {str(name): value for name, value in entries.items() if isinstance(value, Tensor)}
    state: StateDict = {}
    normalisation: dict[str, tuple[float, ...]] = {}
    for name, value in tensors.items():
        if constant := _NORMALISATION.match(name):
            kind = {"mu": "mean", "sigma": "std"}.get(constant[1], constant[1])
            normalisation[kind] = tuple(value.flatten().tolist())
        elif not _NOT_THE_NETWORK.match(name):
            bare = _WRAPPERS.sub("", name)
            if bare in state and not torch.equal(state[bare], value):
                raise CorruptWeightsError(f"{file} holds two different tensors for {bare!r}.")
            state[bare] = value.float() if value.is_floating_point() else value
    if not state:
        keys = list(entries)[:5] or type(checkpoint).__name__
        raise CorruptWeightsError(f"{file} holds no weights of a network (it has {keys}).")
    return state, normalisation


def load_exactly(network: nn.Module, state: StateDict, *, key: str, file: Path) -> None:
    """Put weights into a network if names and shapes fit in full; it takes the tensors over as they are."""
    own = network.state_dict()
    for name in own:
        if name.endswith("num_batches_tracked"):
            state.setdefault(name, torch.tensor(0))
    complaints = [f"{name} is missing" for name in own if name not in state]
    complaints += [f"{name} is not {key}'s" for name in state if name not in own]
    for name, value in own.items():
        found, wanted = tuple(state.get(name, value).shape), tuple(value.shape)
        complaints += [f"{name} is {found} instead of {wanted}"] if found != wanted else []
    if complaints:
        more = f" (and {len(complaints) - 4} more)" if len(complaints) > 4 else ""
        raise CorruptWeightsError(
            f"{file} does not hold the weights of {key!r}: {'; '.join(complaints[:4])}{more}. Is it another network's?"
        )
    network.load_state_dict(state, assign=True)


def rename(*substitutions: tuple[str, str]) -> Callable[[StateDict, nn.Module], StateDict]:
    """Translate names by regular expressions: pairs of a pattern and its replacement, in this order."""

    def translate(state: StateDict, _: nn.Module) -> StateDict:
        for pattern, replacement in substitutions:
            state = {re.sub(pattern, replacement, name): value for name, value in state.items()}
        return state

    return translate


def _foreign_names(file: Path) -> set[str]:
    """List what a checkpoint refers to and `torch.load` does not know."""
    if zipfile.is_zipfile(file):
        return set(torch.serialization.get_unsafe_globals_in_checkpoint(file))
    names = set()
    with file.open("rb") as stream:
        for _ in range(4):  # a magic number, the version, the system, the object
            names |= {str(name).replace(" ", ".") for op, name, _ in pickletools.genops(stream) if op.name == "GLOBAL"}
    return names
