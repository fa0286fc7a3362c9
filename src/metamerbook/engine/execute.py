"""Run tasks: compute what the store lacks, in this process, in several, or on a Dask cluster.

How a kind of task is computed is registered with `compute`; what a task names by fingerprint (images, networks) is in
`Context`. Neither knows who calls, so that a cluster's workers can hold context and compute tasks alike.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tqdm.std import tqdm

from metamerbook.engine.agenda import Agenda
from metamerbook.engine.context import Context
from metamerbook.engine.store import BusyError
from metamerbook.engine.task import Task
from metamerlib.generation import UnusableModelError


@dataclass(frozen=True)
class Execution:
    """What a call of `execute` did.

    Attributes
    ----------
    computed, found
        The tasks that were computed, and those that were in the store.
    unusable
        Keys of the tasks that were given up, to the reason: a network that no metamers can be made with.
    """

    computed: tuple[Task, ...]
    found: tuple[Task, ...]
    unusable: Mapping[str, str] = field(default_factory=dict)


def execute(
    tasks: Iterable[Task], context: Context, *, title: str = "computing", skip_unusable: bool = False
) -> Execution:
    """Compute every task that the store lacks, and what those require.

    Parameters
    ----------
    tasks
        What to run; repeated ones count once.
    context
        The images, networks and the store.
    title
        What the progress bar says is going on.
    skip_unusable
        Whether to go on where a network turns out to be one that no metamers can be made with.

    Returns
    -------
    Execution
        What was computed and what was found. The results are in the store.

    Raises
    ------
    UnusableModelError
        If there is such a network, unless they are skipped.
    """
    unusable: dict[str, str] = {}

    def tolerated(task: Task, error: Exception) -> bool:
        if skip_unusable and isinstance(error, UnusableModelError):
            unusable[task.key] = str(error)
            return True
        return False

    wanted = {task.key: task for task in tasks}
    found = tuple(task for task in wanted.values() if task in context.store)
    pending = _in_order(task for task in wanted.values() if task not in context.store)
    pending = [task for task in pending if task not in context.store]
    layout = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(
        total=sum(_ticks(task) for task in pending),
        bar_format=layout,
        disable=not (context.shows_progress and pending),
        dynamic_ncols=True,
    ) as bar:
        workers = context.workers_for(pending)
        if workers is not None:
            bar.set_description_str(title)
            workers.run(pending, lambda task: bar.update(_ticks(task)), tolerated)
        else:
            agenda, finished = Agenda(pending), 0
            while taken := agenda.take():
                task, waits = taken
                bar.set_description_str(f"{title} {finished + 1} of {len(pending)}: {task.label}")
                try:
                    context.result(task, wait=waits)
                except BusyError:
                    agenda.put_back(task, busy=True)
                    continue
                except Exception as error:
                    if not tolerated(task, error):
                        raise
                agenda.finish(task)
                finished += 1
                bar.update(_ticks(task))
    return Execution(tuple(task for task in pending if task.key not in unusable), found, unusable)


def _ticks(task: Task) -> int:
    # Whole numbers: fractions added in another order than in the total can come out above it, of which tqdm warns.
    return max(1, round(task.cost))


def _in_order(tasks: Iterable[Task]) -> list[Task]:
    """Put each task behind those that it requires, once."""
    ordered: dict[str, Task] = {}

    def place(task: Task) -> None:
        if task.key not in ordered:
            for required in task.requires:
                place(required)
            ordered[task.key] = task

    for task in tasks:
        place(task)
    return list(ordered.values())
