import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import interrupted_generation
import pytest
import torch
from interrupted_generation import generate as generate_alike
from test_metamers import TENSORS
from toy_models import Smooth, Spy, random_images, wrap

from metamerlib.generation import GenerationConfig, Metamers, generate_metamers
from metamerlib.generation.checkpoint import read_tensors
from metamerlib.generation.steps import OPTIMIZERS

CONFIG = GenerationConfig(repetitions=4, steps_per_model=2)
RUN = {"stage": "late", "config": CONFIG, "progress": False, "device": "cpu", "checkpoint_every": 0}


def assert_same_bytes(found, expected):
    for name in TENSORS:
        found_bytes = getattr(found, name).numpy().tobytes()
        assert found_bytes == getattr(expected, name).numpy().tobytes(), name
    assert found.history.equals(expected.history)


def models(fail_at=None):
    return [wrap(Smooth(0), "a"), wrap(Spy(Smooth(1), fail_at), "b")]


def interrupted(path, fail_at, images=None, **run):
    """Start a run that breaks down at a forward pass of its second model."""
    images = random_images(5) if images is None else images
    with pytest.raises(KeyboardInterrupt):
        generate_metamers(images, models(fail_at), checkpoint=path, **{**RUN, **run})
    assert path.exists()


OPTIONS = {"SGD": {"momentum": 0.9, "nesterov": True}, "Adam": {"amsgrad": True}, "RMSprop": {"centered": True}}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_resumed_run_gives_the_bytes_of_an_uninterrupted_one(optimizer, tmp_path):
    config = CONFIG.replace(optimizer=optimizer, optimizer_options=OPTIONS.get(optimizer, {}), learning_rate=0.1)
    run = {**RUN, "config": config}
    expected = generate_metamers(random_images(5), models(), **run)
    interrupted(tmp_path / "c", 9, config=config)  # in the fourth repetition
    assert_same_bytes(generate_metamers(random_images(5), models(), checkpoint=tmp_path / "c", **run), expected)


@pytest.mark.parametrize("fail_at", range(5, 33, 5))
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"config": CONFIG.replace(mode="joint", projection="l2", epsilon=0.5)},
        {"config": GenerationConfig.fast(repetitions=4, steps_per_model=2, epsilon=0.2)},
    ],
)
def test_it_does_not_matter_when_a_run_is_interrupted(fail_at, changes, tmp_path):
    # Each of the three parts has 11 forward passes of the model: reference, initial, 8 updates, final.
    run = {**RUN, "batch_size": 2, "record_every": 1, **changes}
    expected = generate_metamers(random_images(5), models(), **run)
    interrupted(tmp_path / "c", fail_at, **{**run, "checkpoint_every": 0})
    resumed_models = models()
    resumed = generate_metamers(random_images(5), resumed_models, checkpoint=tmp_path / "c", **run)
    assert_same_bytes(resumed, expected)
    done = (fail_at - 1) // 11
    assert resumed_models[1].module.tap.calls <= 33 - 11 * done  # what was done is not done again


def test_a_finished_run_is_returned_at_once(tmp_path):
    first, again = models(), models()
    expected = generate_metamers(random_images(5), first, checkpoint=tmp_path / "c", **RUN)
    found = generate_metamers(random_images(5), again, checkpoint=tmp_path / "c", **RUN)
    assert_same_bytes(found, expected)
    assert again[1].module.tap.calls == 0
    assert found.seconds == pytest.approx(expected.seconds, abs=0.5)


def test_a_checkpoint_is_written_now_and_then_and_after_each_part(tmp_path, monkeypatch):
    from metamerlib.generation import checkpoint as module

    written = []
    monkeypatch.setattr(
        module, "write_tensors", lambda path, kind, document, tensors: written.append(document["state"])
    )
    run = {**RUN, "batch_size": 2, "checkpoint": tmp_path / "c"}
    generate_metamers(random_images(5), models(), **{**run, "checkpoint_every": 3600})
    assert [state["done"] for state in written] == [2, 4, 5]
    written.clear()
    generate_metamers(random_images(5), models(), **run)
    repetitions = [state["batch"]["repetition"] if state["batch"] else None for state in written]
    assert repetitions == [1, 2, 3, 4, None] * 3


CHANGES = {
    "images": ({"images": random_images(5, seed=9)}, "images differ"),
    "initial": ({"initial": random_images(5)}, "initial differ"),
    "config": ({"config": CONFIG.replace(epsilon=0.5)}, "config.epsilon is 10000.0 there and 0.5 here"),
    "options": (
        {"config": CONFIG.replace(optimizer_options={"momentum": 0.5})},
        "config.optimizer_options is {} there and {'momentum': 0.5} here",
    ),
    "seed": ({"seed": 1}, "seed is 0 there and 1 here"),
    "batch": ({"batch_size": 2}, "batch_size is 5 there and 2 here"),
    "offset": ({"index_offset": 2}, "index_offset is 0 there and 2 here"),
    "recording": ({"record_every": 2}, "record_every is None there and 2 here"),
    "stage": ({"stage": "tap.inner.0"}, "layers is"),
    "weights": ({"models": [wrap(Smooth(2), "a"), wrap(Spy(Smooth(1)), "b")]}, "weights of a differ"),
    "normalisation": (
        {"models": [wrap(Smooth(0), "a", mean=(0.5, 0.5, 0.5)), wrap(Spy(Smooth(1)), "b")]},
        "weights of a differ",
    ),
    "architecture": (
        {"models": [wrap(torch.nn.Sequential(*Smooth(0), torch.nn.ReLU()), "a"), wrap(Spy(Smooth(1)), "b")]},
        "weights of a differ",
    ),
    "names": ({"models": [wrap(Smooth(0), "other"), wrap(Spy(Smooth(1)), "b")]}, r"models is \['a', 'b'\] there"),
}


@pytest.mark.parametrize(("changes", "message"), CHANGES.values(), ids=CHANGES)
def test_a_checkpoint_of_another_run_is_refused_with_what_differs(changes, message, tmp_path):
    spied = [wrap(Spy(Smooth(0)), "a"), wrap(Spy(Smooth(1)), "b")] if "stage" in changes else models()
    first = {**RUN, "images": random_images(5), "models": spied}
    generate_metamers(**first, checkpoint=tmp_path / "c")
    before = (tmp_path / "c").read_bytes()
    with pytest.raises(ValueError, match=rf"checkpoint .*c is of another run: .*{message}.*Give the same settings"):
        generate_metamers(**{**first, **changes}, checkpoint=tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_checkpoint_is_set_aside_and_the_run_starts_over(damage, tmp_path):
    path = tmp_path / "run.safetensors"
    interrupted(path, 9)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    content = {"cut": content[:-100], "flipped": content, "empty": b"", "text": b"hello" * 99}[damage]
    path.write_bytes(content)
    with pytest.warns(RuntimeWarning, match=r"run.safetensors.* It was moved to .*run.safetensors.corrupt"):
        found = generate_metamers(random_images(5), models(), checkpoint=path, **RUN)
    assert_same_bytes(found, generate_metamers(random_images(5), models(), **RUN))
    assert (tmp_path / "run.safetensors.corrupt").read_bytes() == content


def test_a_foreign_file_is_neither_read_nor_replaced(tmp_path):
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(3)}, tmp_path / "weights.safetensors")
    before = (tmp_path / "weights.safetensors").read_bytes()
    with pytest.raises(ValueError, match="not one of metamerlib's: give another path"):
        generate_metamers(random_images(2), models(), checkpoint=tmp_path / "weights.safetensors", **RUN)
    generate_metamers(random_images(2), models(), **RUN).save(tmp_path / "metamers")
    with pytest.raises(ValueError, match="does not hold a generation's checkpoint"):
        generate_metamers(random_images(2), models(), checkpoint=tmp_path / "metamers", **RUN)
    assert (tmp_path / "weights.safetensors").read_bytes() == before


def test_a_checkpoint_that_cannot_be_written_does_not_stop_the_run(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(RuntimeWarning, match=r"no checkpoint: .*c cannot be written: .*full: free.*No space left"):
        found = generate_metamers(random_images(5), models(), checkpoint=tmp_path / "c", **RUN)
    assert list(tmp_path.iterdir()) == []  # no half-written file stays
    assert_same_bytes(found, generate_metamers(random_images(5), models(), **RUN))


def repetitions_done(path):
    try:
        state, _ = read_tensors(path, "a generation's checkpoint")
    except OSError:  # not there yet
        return 0
    state = state["state"]
    return 80 * (state["done"] // 4) + (state["batch"]["repetition"] if state["batch"] else 0)


def test_a_run_killed_half_way_resumes_to_the_same_bytes(tmp_path):
    checkpoint, result = tmp_path / "checkpoint", tmp_path / "result"
    paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, interrupted_generation.__file__, str(checkpoint), str(result)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}

    process = subprocess.Popen(command, env=environment)
    try:
        deadline = time.monotonic() + 300
        while repetitions_done(checkpoint) < 20:  # of twice 80
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline, "too slow"
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not result.exists()
    assert 20 <= repetitions_done(checkpoint) < 160

    subprocess.run(command, env=environment, check=True)
    threads = torch.get_num_threads()
    try:
        expected = generate_alike(None)
    finally:
        torch.set_num_threads(threads)
    assert_same_bytes(Metamers.load(result), expected)
