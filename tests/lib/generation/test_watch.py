"""Looking on while metamers are made."""

import pytest
import torch
from toy_models import Smooth, random_images, wrap

from metamerlib.generation import GenerationConfig, generate_metamers

CONFIG = GenerationConfig(repetitions=3, steps_per_model=2)


def generate(**arguments):
    models = [wrap(Smooth(0), "a"), wrap(Smooth(1), "b")]
    arguments = {"stage": "late", "config": CONFIG, "progress": False, "device": "cpu"} | arguments
    return generate_metamers(random_images(5), models, **arguments)


@pytest.mark.parametrize(("batch_size", "batches"), [(None, [range(5)]), (4, [range(4), range(4, 5)])])
def test_each_batch_is_shown_before_and_after_every_repetition(batch_size, batches):
    seen = []

    def watch(part):
        seen.append((part.positions, part.repetition, part.images.clone(), part.residuals()))

    metamers = generate(batch_size=batch_size, watch=watch)
    assert [(positions, repetition) for positions, repetition, *_ in seen] == [
        (positions, repetition) for positions in batches for repetition in range(4)
    ]
    for positions, repetition, images, residuals in seen:
        wanted = slice(positions.start, positions.stop)
        if repetition == 0:
            torch.testing.assert_close(residuals, metamers.initial_residuals[wanted])
        if repetition == 3:
            assert torch.equal(images[: len(positions)], metamers.images[wanted])
            assert torch.equal(residuals, metamers.residuals[wanted])


def test_looking_changes_nothing():
    assert torch.equal(generate(watch=lambda part: part.residuals()).images, generate().images)


def test_a_resumed_run_is_watched_from_where_it_goes_on(tmp_path):
    def give_up(part):
        if part.repetition == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(checkpoint=tmp_path / "state", checkpoint_every=0, watch=give_up)
    seen = []
    generate(checkpoint=tmp_path / "state", watch=lambda part: seen.append(part.repetition))
    assert seen == [2, 3]
