"""The order in which specs are computed: each after those that it requires, what others compute last."""

from collections.abc import Iterable

from metamerlib.experiments.spec import Spec


class Agenda:
    """Specs that are to be computed, by one process or by several at once.

    Parameters
    ----------
    specs
        What is to be computed. What they require and is not among them counts as computed.
    """

    def __init__(self, specs: Iterable[Spec]) -> None:
        self._waiting = {spec.key: spec for spec in specs}
        self._unfinished = set(self._waiting)
        self._busy: dict[str, Spec] = {}

    def __bool__(self) -> bool:
        return bool(self._unfinished)

    def __contains__(self, spec: Spec) -> bool:
        """Tell whether a spec is still to be finished."""
        return spec.key in self._unfinished

    def take(self) -> tuple[Spec, bool] | None:
        """Take the spec that is to be begun next.

        Returns
        -------
        (Spec, bool) or None
            With it, whether another process's result of it is to be waited for: there is nothing else to begin then.
            None while all that is left requires what has begun.
        """
        for key, spec in self._waiting.items():
            if self._unfinished.isdisjoint(required.key for required in spec.requires):
                return self._waiting.pop(key), False
        if self._busy:
            return self._busy.pop(next(iter(self._busy))), True
        return None

    def put_back(self, spec: Spec, *, busy: bool = False) -> None:
        """Return a spec that was begun in vain.

        Parameters
        ----------
        spec
            One that was taken.
        busy
            Whether another process computes it: it comes last then.
        """
        (self._busy if busy else self._waiting)[spec.key] = spec

    def finish(self, spec: Spec) -> None:
        """Note that a spec that was taken is computed, or given up.

        Parameters
        ----------
        spec
            The spec.
        """
        self._unfinished.remove(spec.key)
