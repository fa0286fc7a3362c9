"""Train any or all miniatures, several at once, and keep the zoo's card."""

import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import torch
from timm.layers import set_fused_attn
from torch.utils.flop_counter import FlopCounterMode

from metamerlib.checks import check_choice, file_path, whole_number
from metamerlib.models.miniature import RANDOM_SEEDS, SIDE, build_miniature
from metamerlib.models.training.drawings import TEST_SEED, as_images, drawing_pool
from metamerlib.models.training.recipes import EPSILON, RECIPES
from metamerlib.models.training.trainer import accuracy, train_miniature
from metamerlib.models.weights import WeightsFolder
from metamerlib.stimuli.objects16 import drawings_batch
from metamerlib.system import cores

POOL = 60_000
_TEST_IMAGES = 2_000
_ATTACKED_IMAGES = 512
_ATTACK_STEPS = 20


def train_zoo(
    keys: Sequence[str] | None = None,
    *,
    folder: Path | None = None,
    work_folder: Path = Path("build/zoo"),
    workers: int | None = None,
    device: str = "cpu",
    force: bool = False,
) -> None:
    """Train miniatures from scratch and write their weights and their card.

    What is trained by the present recipe already is left alone; what was interrupted is taken up again. The
    networks that a recipe needs (teachers, the standard twin of a robust network) are trained first.

    Parameters
    ----------
    keys
        Which miniatures; all by default.
    folder
        Where weights and card go; by default the bundled zoo's folder.
    work_folder
        Where the pool of drawings and the checkpoints are kept.
    workers
        Networks trained at once, one thread each; by default one per core.
    device
        Where to train.
    force
        Train anew what is there.

    Raises
    ------
    ValueError
        If a key is not one of the zoo's, or `workers` is below one.
    RuntimeError
        If a process that trains was killed.
    """
    for key in keys or ():
        check_choice(key, [*RECIPES, *RANDOM_SEEDS], "keys")
    workers = cores() if workers is None else whole_number(workers, "workers", at_least=1)
    weights = WeightsFolder(folder)
    work_folder = file_path(work_folder, "work_folder").resolve()
    wanted = _with_needs(keys or RECIPES)
    if not force:
        wanted = [key for key in wanted if not _is_done(weights, key)]
    for key in RANDOM_SEEDS:
        if keys is None or key in keys:
            row = _describe(build_miniature(key)[0].eval())
            weights.record(key, row | {"recipe": "Kaiming normal, untrained"})
    if not wanted:
        return
    drawing_pool(work_folder, POOL, size=SIDE)
    left = list(wanted)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
        while left:
            ready = [key for key in left if not set(RECIPES[key].needs) & set(left)]
            jobs = [(key, weights.path, work_folder, device, wanted.index(key)) for key in ready]
            futures = {executor.submit(_train_one, *job): job[0] for job in jobs}
            for future in as_completed(futures):
                key = futures[future]
                try:
                    row = future.result()
                except BrokenProcessPool as error:
                    raise RuntimeError(
                        f"a process that trained was killed, perhaps for want of memory ({key} and what was trained "
                        "beside it): the same command goes on from the checkpoints; fewer `workers` need less memory."
                    ) from error
                weights.record(key, row)
                left.remove(key)
                done = f"{row['seconds'] / 60:.1f} min; {len(wanted) - len(left)} of {len(wanted)}"
                scores = f"accuracy {row['accuracy']:.3f}, under attack {row['robust_accuracy']:.3f}"
                print(f"{key:26s} {scores} ({done})", flush=True)


def _with_needs(keys: Sequence[str]) -> list[str]:
    needed = set(keys)
    for key in reversed(RECIPES):  # what a recipe needs stands before it
        if key in needed:
            needed.update(RECIPES[key].needs)
    return [key for key in RECIPES if key in needed]


def _is_done(weights: WeightsFolder, key: str) -> bool:
    row = weights.card().get(key)
    if row is None or row["recipe"] != RECIPES[key].to_dict() or not weights.file(key).exists():
        return False
    if row.get("sha256") == weights.sha256(key):
        return True
    aside = weights.file(key).with_suffix(".corrupt")
    weights.file(key).replace(aside)
    warnings.warn(
        f"the weights of {key!r} are not those that card.json describes: they were moved to {aside}, and are trained "
        "anew.",
        RuntimeWarning,
        stacklevel=3,
    )
    return False


def _train_one(key: str, folder: Path, work_folder: Path, device: str, position: int) -> dict:
    torch.set_num_threads(1)
    # Explicit attention trains three times faster than the fused kernel in bfloat16 on a CPU.
    set_fused_attn(enable=device != "cpu")
    started = time.monotonic()
    recipe = RECIPES[key]
    weights = WeightsFolder(folder)
    networks = {}
    for need in recipe.needs:
        networks[need], _ = build_miniature(need)
        weights.load_into(networks[need], need)
        networks[need].eval()
    pool, checkpoint = drawing_pool(work_folder, POOL, size=SIDE), work_folder / f"{key}.checkpoint.pt"
    options = {"networks": networks, "checkpoint": checkpoint, "device": device, "progress_position": position}
    network = train_miniature(key, recipe, pool, **options)
    # What is measured is what is shipped: the weights after rounding to float16.
    network = network.half().float()
    weights.write(network, key)
    seconds = time.monotonic() - started
    return _describe(network) | {"recipe": recipe.to_dict(), "seconds": round(seconds, 1)}


def _describe(network: torch.nn.Module) -> dict:
    pixels, labels = drawings_batch(TEST_SEED, 0, _TEST_IMAGES, SIDE)
    images, labels = as_images(pixels), torch.as_tensor(labels)
    attacked = images[:_ATTACKED_IMAGES], labels[:_ATTACKED_IMAGES]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, SIDE, SIDE))
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "multiply_adds": counter.get_total_flops() // 2,
        "accuracy": accuracy(network, images, labels),
        "accuracy_images": _TEST_IMAGES,
        "robust_accuracy": accuracy(network, *attacked, epsilon=EPSILON, steps=_ATTACK_STEPS),
        "robust_accuracy_images": _ATTACKED_IMAGES,
        "attack": f"PGD, {_ATTACK_STEPS} steps, linf 4/255",
        "torch": torch.__version__.split("+")[0],
    }
