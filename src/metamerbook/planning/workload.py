"""What a result takes: passes of images through networks, bytes on disk, memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch

from metamerbook.engine.task import Task
from metamerbook.ensembles.adversarial_examples import Attack
from metamerbook.ensembles.explorer import SnapshotPredictions
from metamerbook.ensembles.image_metrics import ImageMetrics
from metamerbook.ensembles.representational_similarity import Representations, Success
from metamerbook.planning.costs import PassCost, PassCosts
from metamerbook.study.judging import Predictions
from metamerbook.study.tasks import MetamerRun, Snapshots
from metamerlib.generation.solver import recorded_repetitions

_TABLE = 16 * 1024  # bytes; tables of some hundred rows, compressed
_RECORD = 2 * 1024  # bytes of the task.json beside each result


@dataclass(frozen=True)
class Passes:
    """Passes of some images through a network.

    Attributes
    ----------
    model
        Key of the network.
    layer
        Where the forward pass ends; None for the outputs.
    images
        How many images.
    times
        How often each of them passes.
    backward
        Whether a backward pass to the image follows.
    """

    model: str
    layer: str | None
    images: int
    times: int
    backward: bool

    def flops(self, cost: PassCost) -> int:
        """Add up the floating point operations.

        Parameters
        ----------
        cost
            Of one image.

        Returns
        -------
        int
            Of all passes.
        """
        return self.images * self.times * (cost.forward + (cost.backward if self.backward else 0))


@singledispatch
def passes(task: Task) -> Iterator[Passes]:
    """List the passes through networks that a result takes, to leading order.

    Of metamers and attacks these are the updates; the few passes before the first and after the last are left out. Of
    what looks at images it is one pass of each; classes of the references, asked for once, are left out.

    Parameters
    ----------
    task
        The result.

    Yields
    ------
    Passes
        Nothing where the work is none of networks', as with image metrics, whose learned ones are small beside the
        others.
    """
    yield from ()


@passes.register
def _(task: MetamerRun) -> Iterator[Passes]:
    for model, layer in zip(task.models, task.layers, strict=True):
        yield Passes(model.key, layer, task.stimuli.count, task.config.updates_per_model, backward=True)


@passes.register
def _(task: Snapshots) -> Iterator[Passes]:
    for model, layer in zip(task.run.models, task.run.layers, strict=True):
        yield Passes(model.key, layer, len(task.images), task.run.config.updates_per_model, backward=True)


@passes.register
def _(task: Attack) -> Iterator[Passes]:
    for model in task.models:
        yield Passes(model.key, None, task.stimuli.count, task.steps, backward=True)


@passes.register
def _(task: Predictions) -> Iterator[Passes]:
    for evaluator in task.evaluators:
        yield Passes(evaluator.key, None, task.run.stimuli.count, 1, backward=False)


@passes.register
def _(task: SnapshotPredictions) -> Iterator[Passes]:
    for evaluator in task.evaluators:
        images = len(task.trajectory.images) * len(task.trajectory.repetitions)
        yield Passes(evaluator.key, None, images, 1, backward=False)


@passes.register
def _(task: Success) -> Iterator[Passes]:
    for model in task.run.models:  # metamers and references, once for their activations and once for their classes
        yield Passes(model.key, None, 2 * task.run.stimuli.count, 1, backward=False)
    for model, layer in zip(task.run.models, task.run.layers, strict=True):
        yield Passes(model.key, layer, 2 * task.run.stimuli.count, 1, backward=False)


def representation_passes(task: Representations, layer: str) -> Passes:
    """Name the passes of a comparison of representations, whose layer only the network knows.

    Parameters
    ----------
    task
        The comparison.
    layer
        The module that its stage taps in its evaluator.

    Returns
    -------
    Passes
        Of the references, and of the metamers of each run.
    """
    return Passes(task.evaluator.key, layer, (len(task.runs) + 1) * task.runs[0].stimuli.count, 1, backward=False)


@singledispatch
def stored_bytes(task: Task) -> int:
    """Estimate what a result takes in the store: images and tensors as they are, tables roughly.

    Parameters
    ----------
    task
        The result.

    Returns
    -------
    int
        Bytes.
    """
    return _RECORD + _TABLE


@stored_bytes.register
def _(task: MetamerRun) -> int:
    count, width = task.stimuli.count, len(task.models)
    rows = 1 + len(recorded_repetitions(task.config.repetitions, None))
    per_pair = 4 + 4 + 8 + 8  # residuals before and after in float32, skipped and not finite in int64
    return _RECORD + _image_bytes(task) * count + count * width * (per_pair + 4 * rows) + 8 * rows


@stored_bytes.register
def _(task: Snapshots) -> int:
    snapshots = len(task.images) * len(task.repetitions)
    return _RECORD + snapshots * (_image_bytes(task.run) + 4 * len(task.run.models))


@stored_bytes.register
def _(task: Attack) -> int:
    return _RECORD + task.stimuli.count * (_image_bytes(task) + 8 + 8 * len(task.models))


@stored_bytes.register
def _(task: Predictions) -> int:
    return _RECORD + 8 * task.run.stimuli.count * (2 * len(task.evaluators) + 1)


@stored_bytes.register
def _(task: SnapshotPredictions) -> int:
    return _RECORD + len(task.trajectory.images) * len(task.trajectory.repetitions) * len(task.evaluators)


@stored_bytes.register
def _(task: ImageMetrics) -> int:
    return _RECORD + _TABLE + 100 * task.run.stimuli.count  # a dozen values of each image, which do not compress


@stored_bytes.register
def _(task: Success) -> int:
    return _RECORD + _TABLE + 50 * task.run.stimuli.count * len(task.run.models)


def _image_bytes(task: MetamerRun | Attack) -> int:
    height, width = task.stimuli.size
    return 3 * height * width * 4


def generation_memory(task: MetamerRun, batch: int, costs: PassCosts) -> int:
    """Estimate the memory that a generation takes at least.

    Parameters
    ----------
    task
        The generation.
    batch
        Images at once.
    costs
        Of the networks.

    Returns
    -------
    int
        Bytes: the weights of all networks of the ensemble, the references' activations in each of them, the largest
        network's intermediate results, and four copies of the images.
    """
    each = [costs(model.key, task.stimuli.size, layer) for model, layer in zip(task.models, task.layers, strict=True)]
    images = min(batch, task.stimuli.count)
    per_image = sum(cost.activations for cost in each) + max(cost.kept for cost in each) + 4 * _image_bytes(task)
    return sum(cost.weights for cost in each) + images * per_image
