"""The training images: a pool of drawings, drawn once on all cores and shared by all trainings."""

import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import Tensor
from torch.nn import functional
from tqdm.auto import tqdm

from metamerlib.stimuli.objects16 import drawings_batch
from metamerlib.system import atomic_write, cores

TRAINING_SEED = 1_000_003
TEST_SEED = 2_000_003
"""Seeds of the images that networks are trained and tested on; the stimuli of the paper use small seeds."""

_CHUNK = 500


def _draw_chunk(path: Path, seed: int, start: int, size: int) -> None:
    images, _ = drawings_batch(seed, start, _CHUNK, size)
    open_memmap(path, mode="r+")[start : start + _CHUNK] = images


def drawing_pool(folder: Path, count: int, *, size: int = 64, seed: int = TRAINING_SEED) -> np.ndarray:
    """Return a pool of drawings, drawing it first if it is not there; image j shows category j % 16."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"objects16_{size}px_seed{seed}_{count}.npy"
    if path.exists():
        try:
            return open_memmap(path, mode="r")
        except (ValueError, EOFError) as error:
            aside = path.with_suffix(".corrupt")
            path.replace(aside)
            warnings.warn(
                f"{path} cannot be read ({error}): it was moved to {aside}, and the images are drawn again.",
                RuntimeWarning,
                stacklevel=2,
            )
    with atomic_write(path) as draft:
        open_memmap(draft, mode="w+", dtype=np.uint8, shape=(count, size, size, 3)).flush()
        if hasattr(os, "posix_fallocate"):
            # Writing to a mapped file on a full disk kills a process, whereas reserving the room is a plain error.
            with draft.open("rb+") as file:
                os.posix_fallocate(file.fileno(), 0, draft.stat().st_size)
        starts = range(0, count, _CHUNK)
        with ProcessPoolExecutor(cores(), mp_context=get_context("spawn")) as pool:
            futures = [pool.submit(_draw_chunk, draft, seed, start, size) for start in starts]
            for future in tqdm(futures, desc="drawing the training images", unit_scale=_CHUNK, unit="image"):
                future.result()
    return open_memmap(path, mode="r")


def as_images(pixels: np.ndarray) -> Tensor:
    """Convert stored pixels, uint8 (N, H, W, 3), to images, float32 and channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float().div_(255)


def augment(images: Tensor, generator: torch.Generator, shift: int = 4) -> Tensor:
    """Mirror images at random and move the batch by at most `shift` pixels."""
    mirrored = torch.rand(len(images), generator=generator) < 0.5
    images = torch.where(mirrored.view(-1, 1, 1, 1).to(images.device), images.flip(3), images)
    height, width = images.shape[-2:]
    top, left = torch.randint(0, 2 * shift + 1, (2,), generator=generator).tolist()
    padded = functional.pad(images, [shift] * 4, mode="reflect")
    return padded[..., top : top + height, left : left + width]
