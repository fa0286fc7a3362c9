"""The order in which tasks are computed: each after those that it requires, what others compute last."""

from collections.abc import Iterable

from metamerbook.engine.task import Task


class Agenda:
    """Tasks that are to be computed, by one process or by several at once.

    Parameters
    ----------
    tasks
        What is to be computed. What they require and is not among them counts as computed.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._waiting = {task.key: task for task in tasks}
        self._unfinished = set(self._waiting)
        self._busy: dict[str, Task] = {}

    def __bool__(self) -> bool:
        return bool(self._unfinished)

    def __contains__(self, task: Task) -> bool:
        """Tell whether a task is still to be finished."""
        return task.key in self._unfinished

    def take(self) -> tuple[Task, bool] | None:
        """Take the task that is to be begun next.

        Returns
        -------
        (Task, bool) or None
            With it, whether another process's result of it is to be waited for: there is nothing else to begin then.
            None while all that is left requires what has begun.
        """
        for key, task in self._waiting.items():
            if self._unfinished.isdisjoint(required.key for required in task.requires):
                return self._waiting.pop(key), False
        if self._busy:
            return self._busy.pop(next(iter(self._busy))), True
        return None

    def put_back(self, task: Task, *, busy: bool = False) -> None:
        """Return a task that was begun in vain.

        Parameters
        ----------
        task
            One that was taken.
        busy
            Whether another process computes it: it comes last then.
        """
        (self._busy if busy else self._waiting)[task.key] = task

    def finish(self, task: Task) -> None:
        """Note that a task that was taken is computed, or given up.

        Parameters
        ----------
        task
            The task.
        """
        self._unfinished.remove(task.key)
