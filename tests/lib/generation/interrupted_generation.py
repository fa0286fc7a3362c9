"""A generation in a process of its own, to be killed: `python interrupted_generation.py CHECKPOINT RESULT`."""

import sys

import torch
from toy_models import Smooth, random_images, wrap

from metamerlib.generation import GenerationConfig, Metamers, generate_metamers


def generate(checkpoint: str | None) -> Metamers:
    torch.set_num_threads(1)
    return generate_metamers(
        random_images(6),
        [wrap(Smooth(0), "a"), wrap(Smooth(1), "b")],
        stage="late",
        config=GenerationConfig(repetitions=80, steps_per_model=2, optimizer="Adam", learning_rate=0.05),
        seed=7,
        batch_size=4,
        checkpoint=checkpoint,
        checkpoint_every=0,
        device="cpu",
        progress=False,
    )


if __name__ == "__main__":
    generate(sys.argv[1]).save(sys.argv[2])
