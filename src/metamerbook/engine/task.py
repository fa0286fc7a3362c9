"""A result by what it depends on: frozen descriptions of work, each with a key that names its result for good.

A task's fields are all that its result depends on, by content: images and weights by their SHA-256, settings by value,
other results by their tasks. The key is the SHA-256 of these fields as canonical JSON, so that it is the same in every
process, on every platform and in whatever order the settings were written. What a result does not depend on (a set's
display name, the device, the batch size) is a field with ``compare=False``, or not a field at all.
"""

import dataclasses
import hashlib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar


class Task(ABC):
    """A unit of work whose result the store keeps.

    Subclasses are frozen dataclasses. To add one: declare as fields what the result depends on, and write `compute`,
    which returns a DataFrame, a mapping of tensors, or `Metamers`. Raise `version` when the code that computes the
    result changes what comes out.
    """

    version: ClassVar[int] = 1

    @abstractmethod
    def compute(self, context: Any) -> Any:
        """Compute the result from the images, networks and results of a `metamerbook.engine.context.Context`."""

    @property
    def label(self) -> str:
        """A few words for progress bars and messages."""
        return f"{self.kind} of {self.requires[0].label}" if self.requires else self.kind

    @property
    def cost(self) -> float:
        """The work it takes, in updates of an image: what the time left is estimated from."""
        return 1.0

    @property
    def kind(self) -> str:
        """The store's folder for such results: the name of the class."""
        return type(self).__name__

    @cached_property
    def requires(self) -> tuple["Task", ...]:
        """The tasks among the fields, whose results this one is computed from."""
        return tuple(_tasks_in([getattr(self, one.name) for one in dataclasses.fields(self)]))

    @property
    def references(self) -> str | None:
        """The fingerprint of the images that it is computed from; None if it names none."""
        stimuli = getattr(self, "stimuli", None)
        return stimuli.fingerprint if stimuli else next((task.references for task in self.requires), None)

    @cached_property
    def key(self) -> str:
        """SHA-256 of kind, version and the fields that are compared, as 64 hexadecimal digits."""
        return digest({"kind": self.kind, "version": self.version, **_compared(self)})


def digest(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON: the same for equal numbers, whatever their type."""
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: object) -> Any:
    """Return a value as JSON types: tasks by their keys, other dataclasses by the fields that are compared."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        if math.isinf(value):
            return {"float": "inf" if value > 0 else "-inf"}
        return int(value) if value.is_integer() else value  # 0.0 and 0 are one setting
    if isinstance(value, Task):
        return value.key
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(_compared(value))
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    raise TypeError(f"a task holds {value!r} of type {type(value).__name__}: give plain JSON values.")


def described(task: Task) -> dict[str, Any]:
    """Return what a task's key is made of, as JSON types."""
    return plain(_compared(task))


def noted(value: Any) -> dict[str, Any]:
    """Return the fields that are not compared, those of dataclasses among the fields too, for people to read."""
    found = {}
    for one in dataclasses.fields(value):
        entry = getattr(value, one.name)
        if not one.compare:
            found[one.name] = entry
        elif dataclasses.is_dataclass(entry) and (below := noted(entry)):
            found[one.name] = below
    return found


def _compared(value: Any) -> dict[str, Any]:
    return {one.name: getattr(value, one.name) for one in dataclasses.fields(value) if one.compare}


def _tasks_in(value: object) -> Iterator[Task]:
    if isinstance(value, Task):
        yield value
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _tasks_in(entry)
