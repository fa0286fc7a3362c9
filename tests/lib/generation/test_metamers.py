import pytest
import torch
from toy_models import Smooth, random_images, wrap

from metamerlib.generation import CorruptFileError, GenerationConfig, Metamers, generate_metamers

CONFIG = GenerationConfig(repetitions=7, steps_per_model=3, optimizer="SGD", optimizer_options={"momentum": 0.5})


@pytest.fixture(scope="module")
def metamers():
    models = [wrap(Smooth(0), "a"), wrap(Smooth(1), "b")]
    return generate_metamers(
        random_images(3), models, stage="late", config=CONFIG, seed=4, record_every=3, progress=False, device="cpu"
    )


TENSORS = ("images", "residuals", "initial_residuals", "skipped", "nonfinite", "recorded_repetitions")
TENSORS = (*TENSORS, "residual_history")


def assert_same(found, expected):
    for name in TENSORS:
        assert torch.equal(getattr(found, name), getattr(expected, name)), name
    for name in ("models", "layers", "stage", "config", "seed", "seconds"):
        assert getattr(found, name) == getattr(expected, name), name


def test_what_is_saved_is_what_is_loaded(metamers, tmp_path):
    path = metamers.save(tmp_path / "new folder" / "metamers.safetensors")
    assert_same(Metamers.load(path), metamers)
    assert_same(Metamers.load(metamers.save(str(path))), metamers)  # replaces
    assert [entry.name for entry in path.parent.iterdir()] == ["metamers.safetensors"]


def test_a_stage_given_as_a_share_is_kept(metamers, tmp_path):
    import dataclasses

    path = dataclasses.replace(metamers, stage=0.35).save(tmp_path / "m")
    assert Metamers.load(path).stage == 0.35


def test_residuals_are_the_distances_at_the_tapped_layer(metamers):
    for column, seed in enumerate((0, 1)):
        tapped, reference = Smooth(seed)(metamers.images), Smooth(seed)(random_images(3))
        expected = (tapped - reference).flatten(1).norm(dim=1) / reference.flatten(1).norm(dim=1)
        torch.testing.assert_close(metamers.residuals[:, column], expected.detach())


def test_the_history_counts_updates_as_algorithm_1_makes_them(metamers):
    history = metamers.history
    assert metamers.recorded_repetitions.tolist() == [0, 1, 3, 6, 7]
    assert list(history.columns) == ["repetition", "update", "model", "residual", "learning_rate"]
    # Two models, three updates each per repetition: b's last forward pass of the third has 17 updates behind it.
    assert history[history.model == "a"]["update"].tolist() == [0, 2, 14, 32, 38]
    assert history[history.model == "b"]["update"].tolist() == [0, 5, 17, 35, 41]
    assert history.learning_rate.tolist()[::2] == [CONFIG.learning_rate_at(r) for r in (0, 0, 2, 5, 6)]
    means = metamers.residual_history.mean(dim=1).flatten().tolist()
    assert history.residual.tolist() == pytest.approx(means)
    assert torch.equal(metamers.residual_history[0], metamers.initial_residuals)
    assert metamers.updates_per_model == 21
    assert metamers.updates == 42


def test_the_joint_mode_updates_all_models_at_once():
    models = [wrap(Smooth(0), "a"), wrap(Smooth(1), "b")]
    joint = generate_metamers(
        random_images(2), models, stage="late", config=CONFIG.replace(mode="joint"), progress=False, record_every=3
    )
    assert joint.updates == joint.updates_per_model == 21
    assert joint.history["update"].tolist() == [0, 0, 2, 2, 8, 8, 17, 17, 20, 20]


def test_the_recorded_residual_is_the_one_before_the_last_update():
    """A run that ends one update earlier ends where the record of the longer run was taken."""
    run = {"stage": "late", "progress": False, "device": "cpu"}
    config = GenerationConfig(repetitions=1, schedule="constant", learning_rate=0.3)
    long = generate_metamers(random_images(2), wrap(Smooth()), config=config.replace(steps_per_model=6), **run)
    short = generate_metamers(random_images(2), wrap(Smooth()), config=config.replace(steps_per_model=5), **run)
    torch.testing.assert_close(long.residual_history[1], short.residuals)


@pytest.mark.parametrize(
    ("index", "rows"),
    [(slice(1, None), [1, 2]), (1, [1]), (-1, [2]), ([2, 0], [2, 0]), (torch.tensor([0]), [0]),
     ([True, False, True], [0, 2])],
)  # fmt: skip
def test_slices_keep_what_belongs_to_the_image(metamers, index, rows):
    chosen = metamers[index]
    assert len(chosen) == len(rows)
    for name in ("images", "residuals", "initial_residuals", "skipped", "nonfinite"):
        assert torch.equal(getattr(chosen, name), getattr(metamers, name)[rows])
    assert torch.equal(chosen.residual_history, metamers.residual_history[:, rows])
    assert chosen.models == metamers.models


def test_the_repr_says_what_it_is(metamers):
    assert "3 images of 8x8 px, stage 'late', 21 updates per model" in repr(metamers)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_file_is_recognised(metamers, tmp_path, damage):
    path = metamers.save(tmp_path / "metamers.safetensors")
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes({"cut": content[:-100], "flipped": content, "empty": b"", "text": b"<html>" * 99}[damage])
    with pytest.raises(CorruptFileError, match=r"metamers.safetensors (is not a whole|was changed)"):
        Metamers.load(path)


def test_other_files_are_refused(metamers, tmp_path):
    from safetensors.torch import save_file

    from metamerlib.generation.checkpoint import write_tensors

    save_file({"weight": torch.zeros(2)}, tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match="not one of metamerlib's"):
        Metamers.load(tmp_path / "weights.safetensors")
    write_tensors(tmp_path / "other", "something else", {}, {"weight": torch.zeros(2)})
    with pytest.raises(ValueError, match="does not hold metamers"):
        Metamers.load(tmp_path / "other")
    write_tensors(tmp_path / "future", "metamers", {"version": 99}, {})
    with pytest.raises(ValueError, match="version 99"):
        Metamers.load(tmp_path / "future")
    with pytest.raises(FileNotFoundError, match=r"no\.safetensors is not a file"):
        Metamers.load(tmp_path / "no.safetensors")


def test_the_progress_bar_shows_the_residual_on_standard_error(capsys):
    run = {"stage": "late", "config": GenerationConfig(repetitions=3), "device": "cpu"}
    generate_metamers(random_images(2), wrap(Smooth()), **run)
    shown = capsys.readouterr()
    assert "residual 0." in shown.err
    assert "6.00/6.00" in shown.err
    assert "late, 1 model:" in shown.err
    assert not shown.out
    generate_metamers(random_images(2), wrap(Smooth()), progress=False, **run)
    assert capsys.readouterr() == ("", "")
