"""How fast this device is: short timed updates of a few networks, from which the others are scaled by FLOPs."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor

from metamerbook.planning.costs import PassCost
from metamerbook.planning.workload import Passes
from metamerlib.generation import GenerationConfig
from metamerlib.generation.batch import Batch
from metamerlib.generation.precision import Arithmetic
from metamerlib.generation.run import CPU_MULTIPLE
from metamerlib.generation.solver import Tap
from metamerlib.models import Classifier
from metamerlib.models.devices import models_on
from metamerlib.models.memory import is_out_of_memory
from metamerlib.system import cores

_LONGEST = 1.0  # seconds that one timed update should take at most
_REPEATS = 3
_FEWEST = 3  # networks, however slow: one alone would say nothing of how unlike their speeds are


@dataclass(frozen=True)
class Timing:
    """Timed updates of one network.

    Attributes
    ----------
    model, layer
        The network, and where its forward pass ended.
    few, few_seconds
        Images in the smallest batch, and seconds of one update of it: mostly what starting the kernels takes.
    images, seconds
        Images in a larger batch, and seconds of one update of it.
    fastest, slowest
        The extremes of several such updates.
    flops
        Floating point operations of one update of one image.
    """

    model: str
    layer: str
    few: int
    few_seconds: float
    images: int
    seconds: float
    fastest: float
    slowest: float
    flops: int

    @property
    def flops_per_second(self) -> float:
        """Speed in the larger batch."""
        return self.images * self.flops / self.seconds


@dataclass(frozen=True)
class Estimate:
    """Seconds that something takes.

    Attributes
    ----------
    likely
        The expected value.
    low, high
        The range: as much faster and slower as single updates of any network were than its typical one; of a network
        that was not timed, from the speed of the fastest of the others to that of the slowest.
    """

    likely: float
    low: float
    high: float

    def __add__(self, other: "Estimate") -> "Estimate":
        return Estimate(self.likely + other.likely, self.low + other.low, self.high + other.high)

    def times(self, factor: float) -> "Estimate":
        """Multiply.

        Parameters
        ----------
        factor
            A number of at least 0.

        Returns
        -------
        Estimate
            So many times as long.
        """
        return Estimate(self.likely * factor, self.low * factor, self.high * factor)


class Speed:
    """What timed updates say about how long passes take.

    Parameters
    ----------
    timings
        At least one.
    device
        Where they were taken.
    batch_size
        Images at once; None for all.
    processes
        How many compute side by side.
    """

    def __init__(self, timings: Sequence[Timing], device: torch.device, batch_size: int | None, processes: int) -> None:
        self._timings = {(timing.model, timing.layer): timing for timing in timings}
        self._device, self._batch_size, self._processes = device, batch_size, processes
        self._fastest = min(timing.fastest / timing.seconds for timing in timings)
        self._slowest = max(timing.slowest / timing.seconds for timing in timings)

    def __call__(self, passes: Passes, cost: PassCost) -> Estimate:
        """Estimate how long passes take.

        Parameters
        ----------
        passes
            The passes.
        cost
            Of one image.

        Returns
        -------
        Estimate
            Seconds, divided among the processes.
        """
        whole, rest = divmod(passes.images, self._batch_size or passes.images)
        estimate = self._batch(passes, cost, self._batch_size or passes.images).times(whole)
        if rest:
            estimate += self._batch(passes, cost, rest)
        return estimate.times(passes.times / self._processes)

    def _batch(self, passes: Passes, cost: PassCost, images: int) -> Estimate:
        if self._device.type == "cpu":
            images = -(-images // CPU_MULTIPLE) * CPU_MULTIPLE
        timing = self._timings.get((passes.model, passes.layer)) if passes.backward else None
        if timing:
            likely = _between(timing, images)
            return Estimate(likely, likely * self._fastest, likely * self._slowest)
        flops = images * (cost.forward + (cost.backward if passes.backward else 0))
        everyone = list(self._timings.values())
        # The same network up to another layer tells more than other networks.
        alike = [timing for timing in everyone if timing.model == passes.model] or everyone
        speeds = [timing.flops_per_second for timing in alike]
        # However little there is to compute, starting the kernels takes its time; of a forward pass about a third.
        starts = [timing.few_seconds * (1 if passes.backward else 1 / 3) for timing in alike]
        starts = [0.0] * len(alike) if self._device.type == "cpu" else starts
        return Estimate(
            max(flops / median(speeds), median(starts)),
            max(flops / max(speeds), min(starts)) * self._fastest,
            max(flops / min(speeds), max(starts)) * self._slowest,
        )


def _between(timing: Timing, images: int) -> float:
    """Read the time of a batch off the line through the two that were timed."""
    if timing.images == timing.few:
        return timing.seconds * max(1.0, images / timing.few)
    slope = max(0.0, timing.seconds - timing.few_seconds) / (timing.images - timing.few)
    return max(timing.few_seconds, timing.seconds + slope * (images - timing.images))


def probe(
    wanted: Mapping[tuple[str, str], PassCost],
    build: Callable[[str], Classifier],
    *,
    size: tuple[int, int],
    batch: int,
    config: GenerationConfig,
    arithmetic: Arithmetic,
    device: torch.device,
    processes: int,
    seconds: float,
) -> list[Timing]:
    """Time updates of some networks, on noise: the first three always, then as many as there is time for.

    Parameters
    ----------
    wanted
        Key and layer of each network to the cost of one image, the most interesting first.
    build
        Gives a network by key; it is not kept.
    size
        Height and width of the images.
    batch
        Images at once; fewer are timed where an update of them takes more than a second, or memory does not suffice.
    config
        How images are updated.
    arithmetic
        How forward passes are computed.
    device
        Where.
    processes
        Among how many generation divides the cores.
    seconds
        How long to go on, building networks included. The first three may take longer, and the last one.

    Returns
    -------
    list of Timing
        In that order.
    """
    ends, timings = time.perf_counter() + seconds, []
    config = config.replace(repetitions=1000, steps_per_model=1, mode="round_robin")
    stopwatch = _Stopwatch(size, config, arithmetic, device, ends)
    with _threads(max(1, cores() // processes) if device.type == "cpu" else None):
        for (key, layer), cost in wanted.items():
            if len(timings) >= _FEWEST and time.perf_counter() >= ends:
                break
            timings.append(stopwatch.time(build(key), key, layer, cost, batch))
    return timings


@dataclass(frozen=True)
class _Stopwatch:
    """Times updates of networks under the same conditions, and hurries when the time is up."""

    size: tuple[int, int]
    config: GenerationConfig
    arithmetic: Arithmetic
    device: torch.device
    ends: float

    def time(self, model: Classifier, key: str, layer: str, cost: PassCost, batch: int) -> Timing:
        """Time a small batch, and one as large as is wanted, as memory allows and as a second allows."""
        few = CPU_MULTIPLE if self.device.type == "cpu" else 1
        with (
            models_on([model], self.device),
            torch.inference_mode(False),
            torch.enable_grad(),
            self.arithmetic.applied([model]),
        ):
            found = self._updates(model, layer, few, repeats=2)
            few_seconds, images = min(found), max(few, batch)
            if self.device.type == "cpu":  # an accelerator is idle with one image
                images = max(few, min(batch, int(_LONGEST * few / few_seconds) // few * few))
            while images > few:
                try:
                    found = self._updates(model, layer, images, repeats=_REPEATS)
                    break
                except Exception as error:
                    if not is_out_of_memory(error):
                        raise
                    images = max(few, images // 2)
        flops = cost.forward + cost.backward
        return Timing(key, layer, few, few_seconds, images, median(found), min(found), max(found), flops)

    def _updates(self, model: Classifier, layer: str, images: int, repeats: int) -> list[float]:
        """Time single updates, after one that does not count."""
        references, initial = (_noise(images, self.size, seed).to(self.device) for seed in (0, 1))
        tap = Tap(model, layer, references, self.config, self.arithmetic)
        steps = Batch([tap], references, initial, self.config, [1]).run()
        next(steps)
        _wait_for(self.device)
        found: list[float] = []
        while len(found) < repeats and (not found or time.perf_counter() < self.ends):
            began = time.perf_counter()
            next(steps)
            _wait_for(self.device)
            found.append(time.perf_counter() - began)
        return found


def _noise(images: int, size: tuple[int, int], seed: int) -> Tensor:
    return torch.rand(images, 3, *size, generator=torch.Generator().manual_seed(seed))


def _wait_for(device: torch.device) -> None:
    """Wait for an accelerator, which may still be at work when the update has returned."""
    if device.type in ("cuda", "mps"):
        getattr(torch, device.type).synchronize()


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    try:
        if count:
            torch.set_num_threads(count)
        yield
    finally:
        torch.set_num_threads(before)
