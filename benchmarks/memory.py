"""Memory: the solver's peak against the bare loop's, and after 500 updates against after 50.

Each loop runs in a process of its own. What counts is the highest level above the one at which networks, references
and initial stimuli were there: resident memory on the CPU, allocated memory on a GPU.
"""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from benchmarks.measure import compared
from benchmarks.pictures import draw_ratios

NAME = "memory"
PEAK_BOUND, GROWTH_BOUND = 1.15, 1.05

_ROOT = Path(__file__).parents[1]
_UPDATES_PER_REPETITION = 10
_PEAKS = {"vgg19": 3, "resnet18": 3, "vit_base": 3, "resnet18_224": 3, "cnns": 2}
_FLAT, _EARLY, _LATE = "small", 50, 500


def run(output: Path, quick: bool = False, device: str = "cpu") -> pd.DataFrame:
    """Measure all tasks.

    Parameters
    ----------
    output
        Folder for the picture.
    quick
        One small task, once, and 10 updates against 30.
    device
        A torch device.

    Returns
    -------
    pd.DataFrame
        A row per task for the peak, and one for the growth, in MiB.

    Raises
    ------
    RuntimeError
        If this is not Linux, which alone tells a process its highest resident memory and lets it be set back.
    """
    if device == "cpu" and not Path("/proc/self/clear_refs").exists():
        raise RuntimeError("memory on the CPU is read from /proc, which only Linux has: leave it out, as with --only.")
    tasks = {"small": 1} if quick else _PEAKS
    early, late = (10, 30) if quick else (_EARLY, _LATE)
    rows = []
    with tqdm(total=sum(tasks.values()) + 1, desc=f"{NAME} ({device})") as bar:
        for name, rounds in tasks.items():
            rows.append(_peak_row(name, rounds, device, bar))
        rows.append(_growth_row(early, late, device))
        bar.update()
    table = pd.DataFrame(rows)
    draw_ratios(table, "Peak memory: solver / bare loop, and late / early", output / f"{NAME}-{device}.png")
    return table


def _peak_row(name: str, rounds: int, device: str, bar: tqdm) -> dict[str, object]:
    solver, bare = [], []
    for _ in range(rounds):
        title, peaks = _probe("solver", name, 2, device)
        solver.append(peaks[-1])
        bare.append(_probe("bare", name, 2, device)[1][-1])
        bar.update()
    return {"line": f"peak, {title}", "unit": "MiB", **compared(solver, bare), "bound": PEAK_BOUND}


def _growth_row(early: int, late: int, device: str) -> dict[str, object]:
    """Compare the solver with itself: "ours" is late, "other" is early."""
    title, peaks = _probe("solver", _FLAT, late // _UPDATES_PER_REPETITION, device)
    values = [[peaks[updates // _UPDATES_PER_REPETITION - 1]] for updates in (late, early)]
    line = f"after {late} updates / after {early}, {title}"
    return {"line": line, "unit": "MiB", **compared(*values), "bound": GROWTH_BOUND}


def _probe(loop: str, task: str, repetitions: int, device: str) -> tuple[str, list[float]]:
    command = [sys.executable, "-m", "benchmarks.probe", "--loop", loop, "--task", task]
    command += ["--repetitions", str(repetitions), "--device", device]
    printed = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    answer = json.loads(printed)
    return answer["title"], answer["peaks"]
