"""The memory of one loop, measured in a process of its own: prints JSON. Started by `benchmarks.memory`."""

import argparse
import gc
import json
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.loops import Truncated, bare_loop
from benchmarks.tasks import STAGE, Task, build
from metamerlib import GenerationConfig, generate_metamers

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def main() -> None:
    """Run one loop and print its highest memory after each repetition, in MiB above what there was before the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", choices=["solver", "bare"], required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--repetitions", type=int, required=True)
    parser.add_argument("--device", required=True)
    arguments = parser.parse_args()
    task = build(arguments.task, arguments.device)
    networks = [Truncated(model, layer) for model, layer in zip(task.models, task.layers, strict=True)]
    config = GenerationConfig(repetitions=arguments.repetitions, steps_per_model=task.steps)
    high_water = _high_water(arguments.device)
    peaks = []
    if arguments.loop == "solver":
        _solve(task, config, arguments.device, lambda: peaks.append(high_water()))
    else:
        rates = [config.learning_rate_at(repetition) for repetition in range(config.repetitions)]
        for _ in bare_loop(networks, task.references, task.initial.clone(), rates, task.steps):
            peaks.append(high_water())
    print(json.dumps({"title": task.title, "peaks": peaks}))


def _solve(task: Task, config: GenerationConfig, device: str, note: Callable[[], None]) -> None:
    generate_metamers(
        task.references.cpu(),
        task.models,
        stage=STAGE,
        config=config,
        initial=task.initial.cpu(),
        device=device,
        progress=False,
        watch=lambda part: note() if part.repetition else None,
    )


def _high_water(device: str) -> Callable[[], float]:
    """Set the mark to the present level, and give a function that reads how far it has risen since, in MiB."""
    gc.collect()
    if torch.device(device).type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        return lambda: (torch.cuda.max_memory_allocated() - before) / 2**20
    _RESET.write_text("5")
    before = _resident("VmRSS")
    return lambda: _resident("VmHWM") - before


def _resident(field: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
