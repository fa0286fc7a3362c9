"""Batches that do not fit: halved until they do, without a change in what comes out."""

import contextlib
import warnings

import pytest
import torch
from test_generation_checkpoints import assert_same_bytes
from torch import nn
from toy_models import Smooth, random_images, wrap

from metamerlib.generation import GenerationConfig, generate_metamers

CONFIG = GenerationConfig(repetitions=6, steps_per_model=2)
RUN = {"stage": "late", "config": CONFIG, "progress": False, "device": "cpu"}


@pytest.fixture(autouse=True)
def no_garbage(monkeypatch):
    """All that the other tests left behind would be gone through at each halving."""
    monkeypatch.setattr("gc.collect", lambda: 0)


class Small(nn.Module):
    """Has memory for so many images at once, from a given forward pass on."""

    def __init__(self, room, seed=0, begins_at=0):
        super().__init__()
        self.inner, self.room, self.begins_at, self.calls, self.batches = Smooth(seed), room, begins_at, 0, []

    def forward(self, images):
        self.calls += 1
        if len(images) > self.room and self.calls >= self.begins_at:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nand a table")
        self.batches.append(len(images))
        return self.inner(images)


def ensemble(room=1000, begins_at=0):
    return [wrap(Smooth(1), "a"), wrap(Small(room, begins_at=begins_at), "b")]


def uninterrupted(**run):
    return generate_metamers(random_images(16), ensemble(), **RUN | run)


def test_all_images_are_one_batch_where_they_fit():
    models = ensemble()
    found = generate_metamers(random_images(16), models, batch_size="auto", **RUN)
    assert set(models[1].module.tap.batches) == {16}
    assert_same_bytes(found, uninterrupted())


@pytest.mark.parametrize(("room", "fits"), [(8, 8), (7, 4), (4, 4)])
def test_a_batch_that_does_not_fit_is_halved(room, fits):
    models = ensemble(room)
    with pytest.warns(RuntimeWarning, match=r"at a time from now on, images 0 to .* from their beginning \(CUDA out"):
        found = generate_metamers(random_images(16), models, batch_size="auto", **RUN)
    assert_same_bytes(found, uninterrupted(batch_size=fits))
    assert set(models[1].module.tap.batches) == {fits}


def test_a_run_that_lacks_memory_half_way_goes_on_from_its_checkpoint(tmp_path):
    run = RUN | {"batch_size": "auto", "checkpoint": tmp_path / "c", "checkpoint_every": 0}
    models = ensemble(room=4, begins_at=11)  # in the fifth repetition: reference, initial, two updates in each
    with pytest.warns(RuntimeWarning) as said:
        found = generate_metamers(random_images(16), models, **run)
    assert [str(one.message).split(" (")[0] for one in said] == [
        "16 images at once need more memory than there is on cpu: 8 at a time from now on, images 0 to 15 from "
        "repetition 4, where they were last written",
        "8 images at once need more memory than there is on cpu: 4 at a time from now on, images 0 to 7 from "
        "repetition 4, where they were last written",
    ]
    assert_same_bytes(found, uninterrupted(batch_size=4))
    tap = models[1].module.tap
    # Ten passes of sixteen images; of each four the reference, the last two repetitions and the final residual.
    assert tap.batches == [16] * 10 + [4] * 4 * (1 + 4 + 1)
    assert torch.equal(generate_metamers(random_images(16), ensemble(), **run).images, found.images)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_optimisers_go_on_too(optimizer, tmp_path):
    options = {"momentum": 0.9} if optimizer == "SGD" else {}
    run = {"config": CONFIG.replace(optimizer=optimizer, optimizer_options=options, learning_rate=0.1)}
    with pytest.warns(RuntimeWarning, match="from repetition 4"):
        found = generate_metamers(
            random_images(10),
            ensemble(room=8, begins_at=11),
            **RUN | run | {"batch_size": "auto", "checkpoint": tmp_path / "c", "checkpoint_every": 0},
        )
    assert_same_bytes(found, generate_metamers(random_images(10), ensemble(), **RUN | run))


@pytest.mark.parametrize("fail_at", range(11, 40, 7))
def test_a_run_that_shrank_and_was_interrupted_ends_in_the_same_bytes(fail_at, tmp_path, monkeypatch):
    run = RUN | {"batch_size": "auto", "checkpoint": tmp_path / "c", "checkpoint_every": 0}
    models = ensemble(room=8, begins_at=11)
    spied, forward = models[1].module.tap, models[1].module.tap.forward

    def breaking(images):
        if spied.calls == fail_at:
            raise KeyboardInterrupt
        return forward(images)

    monkeypatch.setattr(spied, "forward", breaking)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        with contextlib.suppress(KeyboardInterrupt):
            generate_metamers(random_images(16), models, **run)
        found = generate_metamers(random_images(16), ensemble(), **run)
    assert_same_bytes(found, uninterrupted())


def test_what_fits_not_even_alone_is_an_error_and_no_endless_loop():
    models = ensemble(room=0)
    with (
        pytest.warns(RuntimeWarning, match="at a time from now on"),
        pytest.raises(
            torch.OutOfMemoryError, match="making metamers for 2 models on cpu needs more memory than there is"
        ),
    ):
        generate_metamers(random_images(16), models, batch_size="auto", **RUN)
    assert models[1].module.tap.calls == 3  # 16, 8, 4: fewer are filled up to four on the CPU


def test_a_number_of_images_is_kept_to():
    with pytest.raises(torch.OutOfMemoryError, match="with batch_size=16: give a smaller batch_size"):
        generate_metamers(random_images(16), ensemble(room=8), batch_size=16, **RUN)
    with pytest.raises(TypeError, match="'auto', or None"):
        generate_metamers(random_images(16), ensemble(), batch_size="all", **RUN)


def test_another_error_is_not_taken_for_a_lack_of_memory(monkeypatch):
    models = ensemble()
    monkeypatch.setattr(models[1].module.tap, "inner", nn.Linear(2, 2))
    with pytest.raises(RuntimeError, match="shape"):
        generate_metamers(random_images(16), models, batch_size="auto", **RUN)


def test_progress_counts_on_in_smaller_parts(capsys):
    with pytest.warns(RuntimeWarning, match="8 at a time"):
        generate_metamers(random_images(16), ensemble(room=8), batch_size="auto", **RUN | {"progress": True})
    assert "96.0/96.0" in capsys.readouterr().err
