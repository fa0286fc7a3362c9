"""Networks that are kept in memory, up to a limit."""

from metamerlib.models.classifier import Classifier


class LoadedNetworks:
    """Networks by key, of which those asked for longest ago are let go when all together grow too large.

    Parameters
    ----------
    memory
        Bytes of weights that are kept. The network asked for last stays, however large.

    Raises
    ------
    ValueError
        If `memory` is negative.
    """

    def __init__(self, memory: int) -> None:
        if memory < 0:
            raise ValueError(f"memory is {memory}: give a number of bytes, 0 to keep no more than one network.")
        self.memory = memory
        self._models: dict[str, Classifier] = {}  # the one asked for last at the end

    @property
    def keys(self) -> tuple[str, ...]:
        """Those of the networks that are kept, the one asked for last at the end."""
        return tuple(self._models)

    def get(self, key: str) -> Classifier | None:
        """Return a network, which is then the one asked for last.

        Parameters
        ----------
        key
            The network.

        Returns
        -------
        Classifier or None
            None if it is not kept.
        """
        model = self._models.pop(key, None)
        if model is not None:
            self._models[key] = model
        return model

    def keep(self, key: str, model: Classifier) -> None:
        """Keep a network, and let others go where it takes their room.

        Parameters
        ----------
        key
            The network.
        model
            The network.
        """
        self._models[key] = model
        while len(self._models) > 1 and sum(map(_size, self._models.values())) > self.memory:
            del self._models[next(iter(self._models))]


def _size(model: Classifier) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in (*model.parameters(), *model.buffers()))
