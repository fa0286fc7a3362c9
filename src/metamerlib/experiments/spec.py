"""What to run: frozen descriptions of units of work, each with a key that names its result for good.

A spec holds everything that the result depends on, by content: images and weights by their SHA-256, settings by
value. Its key is the SHA-256 of its canonical JSON, so that it is the same in every process, on every platform and
in whatever order the settings were written. What a result does not depend on (a set's display name, the device, the
batch size) is not part of the key.
"""

import hashlib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar


class Spec(ABC):
    """A unit of work whose result the store keeps.

    Subclasses are frozen dataclasses. To add one: state its `kind`, `codec` and `version`, return from `identity`
    what the result depends on, and register how it is computed with `metamerlib.experiments.execute.compute`.

    Attributes
    ----------
    kind
        The store's folder for such results.
    codec
        How the result is written: "metamers", "table" (a DataFrame) or "tensors" (name to tensor).
    version
        Part of the key. Raise it when the code that computes the result changes what comes out.
    """

    kind: ClassVar[str]
    codec: ClassVar[str]
    version: ClassVar[int] = 1

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Return what the result depends on, as JSON-like values.

        Returns
        -------
        dict
            Mappings with text keys, sequences, text, numbers, booleans and None.
        """

    def about(self) -> dict[str, Any]:
        """Return what is noted beside the result for people to read, without being part of the key.

        Returns
        -------
        dict
            JSON values.
        """
        return {}

    @property
    @abstractmethod
    def label(self) -> str:
        """A few words for progress bars and messages."""

    @property
    def requires(self) -> tuple["Spec", ...]:
        """Specs whose results this one is computed from."""
        return ()

    @property
    def cost(self) -> float:
        """The work it takes, relative to other specs of its kind: what the time left is estimated from."""
        return 1.0

    @cached_property
    def key(self) -> str:
        """SHA-256 of kind, version and identity, as 64 hexadecimal digits."""
        return digest({"kind": self.kind, "version": self.version, **self.identity()})


def canonical_json(value: object) -> str:
    """Write a value as the one JSON text that stands for it.

    Parameters
    ----------
    value
        Mappings with text keys, sequences, text, numbers, booleans and None, nested at will.

    Returns
    -------
    str
        ASCII, keys sorted, no blanks; a whole float is written as the integer it equals (0.0 and 0 are one setting),
        other floats by their shortest text, infinities as ``{"float":"inf"}``.

    Raises
    ------
    TypeError
        If a value is of another type, or a key is not text.
    ValueError
        If a value is not a number (NaN equals nothing, so it names nothing).
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON.

    Parameters
    ----------
    value
        As for `canonical_json`.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            raise ValueError("a spec holds a NaN, which equals nothing: give a number.")
        if math.isinf(value):
            return {"float": "inf" if value > 0 else "-inf"}
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong:
            raise TypeError(f"a spec's mapping has the key {wrong[0]!r}: give text keys.")
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    raise TypeError(f"a spec holds {value!r} of type {type(value).__name__}: give plain JSON values.")
