"""What a result takes: passes of images through networks, bytes on disk, memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch

from metamerlib.experiments.appearance import ImageMetricsRun
from metamerlib.experiments.attacks import AttackRun
from metamerlib.experiments.costs import PassCost, PassCosts
from metamerlib.experiments.exploration import SnapshotRecognitionRun
from metamerlib.experiments.panels import PanelRun
from metamerlib.experiments.representation import RepresentationRun
from metamerlib.experiments.runs import MetamerRun
from metamerlib.experiments.snapshots import TrajectoryRun
from metamerlib.experiments.spec import Spec
from metamerlib.experiments.success import SuccessRun
from metamerlib.generation.solver import recorded_repetitions

_TABLE = 16 * 1024  # bytes; tables of some hundred rows, compressed
_RECORD = 2 * 1024  # bytes of the spec.json beside each result


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
def passes(spec: Spec) -> Iterator[Passes]:
    """List the passes through networks that a result takes, to leading order.

    Of metamers and attacks these are the updates; the few passes before the first and after the last are left out. Of
    what looks at images it is one pass of each; classes of the references, asked for once, are left out.

    Parameters
    ----------
    spec
        The result.

    Yields
    ------
    Passes
        Nothing where the work is none of networks', as with image metrics, whose learned ones are small beside the
        others.
    """
    yield from ()


@passes.register
def _(spec: MetamerRun) -> Iterator[Passes]:
    for model, layer in zip(spec.models, spec.layers, strict=True):
        yield Passes(model.key, layer, spec.stimuli.count, spec.config.updates_per_model, backward=True)


@passes.register
def _(spec: TrajectoryRun) -> Iterator[Passes]:
    for model, layer in zip(spec.run.models, spec.run.layers, strict=True):
        yield Passes(model.key, layer, len(spec.images), spec.run.config.updates_per_model, backward=True)


@passes.register
def _(spec: AttackRun) -> Iterator[Passes]:
    for model in spec.models:
        yield Passes(model.key, None, spec.stimuli.count, spec.steps, backward=True)


@passes.register
def _(spec: PanelRun) -> Iterator[Passes]:
    for evaluator in spec.evaluators:
        yield Passes(evaluator.key, None, spec.run.stimuli.count, 1, backward=False)


@passes.register
def _(spec: SnapshotRecognitionRun) -> Iterator[Passes]:
    for evaluator in spec.evaluators:
        images = len(spec.trajectory.images) * len(spec.trajectory.repetitions)
        yield Passes(evaluator.key, None, images, 1, backward=False)


@passes.register
def _(spec: SuccessRun) -> Iterator[Passes]:
    for model in spec.run.models:  # metamers and references, once for their activations and once for their classes
        yield Passes(model.key, None, 2 * spec.run.stimuli.count, 1, backward=False)
    for model, layer in zip(spec.run.models, spec.run.layers, strict=True):
        yield Passes(model.key, layer, 2 * spec.run.stimuli.count, 1, backward=False)


def representation_passes(spec: RepresentationRun, layer: str) -> Passes:
    """Name the passes of a comparison of representations, whose layer only the network knows.

    Parameters
    ----------
    spec
        The comparison.
    layer
        The module that its stage taps in its evaluator.

    Returns
    -------
    Passes
        Of the references, and of the metamers of each run.
    """
    return Passes(spec.evaluator.key, layer, (len(spec.runs) + 1) * spec.runs[0].stimuli.count, 1, backward=False)


@singledispatch
def stored_bytes(spec: Spec) -> int:
    """Estimate what a result takes in the store: images and tensors as they are, tables roughly.

    Parameters
    ----------
    spec
        The result.

    Returns
    -------
    int
        Bytes.
    """
    return _RECORD + _TABLE


@stored_bytes.register
def _(spec: MetamerRun) -> int:
    count, width = spec.stimuli.count, len(spec.models)
    rows = 1 + len(recorded_repetitions(spec.config.repetitions, None))
    per_pair = 4 + 4 + 8 + 8  # residuals before and after in float32, skipped and not finite in int64
    return _RECORD + _image_bytes(spec) * count + count * width * (per_pair + 4 * rows) + 8 * rows


@stored_bytes.register
def _(spec: TrajectoryRun) -> int:
    snapshots = len(spec.images) * len(spec.repetitions)
    return _RECORD + snapshots * (_image_bytes(spec.run) + 4 * len(spec.run.models))


@stored_bytes.register
def _(spec: AttackRun) -> int:
    return _RECORD + spec.stimuli.count * (_image_bytes(spec) + 8 + 8 * len(spec.models))


@stored_bytes.register
def _(spec: PanelRun) -> int:
    return _RECORD + 8 * spec.run.stimuli.count * (2 * len(spec.evaluators) + 1)


@stored_bytes.register
def _(spec: SnapshotRecognitionRun) -> int:
    return _RECORD + len(spec.trajectory.images) * len(spec.trajectory.repetitions) * len(spec.evaluators)


@stored_bytes.register
def _(spec: ImageMetricsRun) -> int:
    return _RECORD + _TABLE + 100 * spec.run.stimuli.count  # a dozen values of each image, which do not compress


@stored_bytes.register
def _(spec: SuccessRun) -> int:
    return _RECORD + _TABLE + 50 * spec.run.stimuli.count * len(spec.run.models)


def _image_bytes(spec: MetamerRun | AttackRun) -> int:
    height, width = spec.stimuli.size
    return 3 * height * width * 4


def generation_memory(spec: MetamerRun, batch: int, costs: PassCosts) -> int:
    """Estimate the memory that a generation takes at least.

    Parameters
    ----------
    spec
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
    each = [costs(model.key, spec.stimuli.size, layer) for model, layer in zip(spec.models, spec.layers, strict=True)]
    images = min(batch, spec.stimuli.count)
    per_image = sum(cost.activations for cost in each) + max(cost.kept for cost in each) + 4 * _image_bytes(spec)
    return sum(cost.weights for cost in each) + images * per_image
