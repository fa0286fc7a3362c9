"""Training: it learns, it resumes to the same weights, and attacks stay within their bounds."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from metamerlib.models import CorruptWeightsError
from metamerlib.models.training import RECIPES, Recipe, drawings, train_zoo, trainer, zoo
from metamerlib.models.training.drawings import as_images, augment, drawing_pool
from metamerlib.models.training.trainer import attack, corrupt
from metamerlib.models.weights import WeightsFolder
from metamerlib.stimuli.objects16 import drawings_batch


@pytest.fixture(scope="module")
def pool():
    return drawings_batch(1_000_003, 0, 256, 64)[0]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_training_learns_the_images_it_sees(pool, tmp_path):
    recipe = Recipe(images=2_560, batch_size=64, learning_rate=3e-3)
    network = trainer.train_miniature(
        "squeezenet", recipe, pool[:32], networks={}, checkpoint=tmp_path / "squeezenet.pt"
    )
    images, labels = as_images(pool[:32]), torch.arange(32) % 16
    untrained = trainer.build_miniature("squeezenet")[0]
    assert trainer.accuracy(network, images, labels) > trainer.accuracy(untrained, images, labels) + 0.2
    assert not list(tmp_path.iterdir())


def test_an_interrupted_training_ends_at_the_same_weights(pool, tmp_path, monkeypatch):
    recipe = Recipe(objective="adversarial", images=256, batch_size=32, epsilon=4 / 255, ramp_share=0.2)
    arguments = {"networks": {}, "checkpoint": tmp_path / "alexnet.pt"}
    whole = trainer.train_miniature("alexnet", recipe, pool, **arguments)

    monkeypatch.setattr(trainer, "_CHECKPOINT_SECONDS", 0)
    calls = []
    real = trainer._loss

    def interrupted(*args):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(trainer, "_loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trainer.train_miniature("alexnet", recipe, pool, **arguments)
    assert (tmp_path / "alexnet.pt").exists()
    resumed = trainer.train_miniature("alexnet", recipe, pool, **arguments)
    assert len(calls) == 5 + 4, "the first four updates are not done again"
    assert _same_shapes(whole, resumed)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign", "another network's"])
def test_a_damaged_checkpoint_is_named_set_aside_and_the_training_starts_over(pool, tmp_path, monkeypatch, damage):
    recipe, path = Recipe(images=8, batch_size=4), tmp_path / "squeezenet.pt"
    monkeypatch.setattr(trainer, "_CHECKPOINT_SECONDS", -1)
    monkeypatch.setattr(trainer.Path, "unlink", lambda self, missing_ok=False: None)  # keep it at the end
    trainer.train_miniature("squeezenet", recipe, pool, networks={}, checkpoint=path)
    monkeypatch.undo()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "another network's":
        other, _ = trainer.build_miniature("alexnet")
        trainer._save(path, recipe, other, torch.optim.AdamW(other.parameters()), 1)
    else:
        damaged = {"cut": content[:-999], "flipped": content, "empty": b"", "foreign": b"hello" * 99}
        path.write_bytes(damaged[damage])
    with pytest.warns(RuntimeWarning, match=r"checkpoint .*squeezenet\.pt cannot be read .* moved to .*\.pt\.corrupt"):
        trainer.train_miniature("squeezenet", recipe, pool, networks={}, checkpoint=path)
    assert [one.name for one in tmp_path.iterdir()] == ["squeezenet.pt.corrupt"]


def test_weights_that_are_not_those_of_the_card_are_set_aside_and_trained_anew(tmp_path, monkeypatch):
    folder, trained = WeightsFolder(tmp_path), []
    network, _ = trainer.build_miniature("squeezenet")
    folder.write(network, "squeezenet")
    folder.record("squeezenet", {"recipe": RECIPES["squeezenet"].to_dict()})
    assert zoo._is_done(folder, "squeezenet")
    content = bytearray(folder.file("squeezenet").read_bytes())
    content[-1] ^= 1
    folder.file("squeezenet").write_bytes(content)
    monkeypatch.setattr(zoo, "drawing_pool", lambda *_, **__: trained.append("begun") or 1 / 0)
    with (
        pytest.warns(RuntimeWarning, match=r"weights of 'squeezenet' .*moved to .*squeezenet\.corrupt"),
        pytest.raises(ZeroDivisionError),
    ):
        train_zoo(["squeezenet"], folder=tmp_path)
    assert trained == ["begun"]
    assert (tmp_path / "squeezenet.corrupt").read_bytes() == content
    (tmp_path / "card.json").write_text("{")
    with pytest.raises(CorruptWeightsError, match=r"card\.json is damaged .*git checkout"):
        train_zoo(["squeezenet"], folder=tmp_path)


def test_a_damaged_pool_of_drawings_is_set_aside_and_drawn_again(tmp_path, monkeypatch):
    monkeypatch.setattr(drawings, "ProcessPoolExecutor", lambda *_, **__: ThreadPoolExecutor(1))
    first = np.array(drawing_pool(tmp_path, 500, size=32))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.warns(RuntimeWarning, match=r"objects16_32px.*cannot be read .*moved to .*\.corrupt"):
        again = drawing_pool(tmp_path, 500, size=32)
    assert np.array_equal(again, first)
    assert len(list(tmp_path.iterdir())) == 2


def _same_shapes(one: nn.Module, other: nn.Module) -> bool:
    # Dropout draws from the global generator, so weights agree in distribution, not to the bit.
    return all(a.shape == b.shape for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_attack_finds_the_worst_corner_of_a_linear_model():
    weights = torch.tensor([[1.0, -2.0, 3.0], [0.0, 0.0, 0.0]])
    model = nn.Sequential(nn.Flatten(), nn.Linear(3, 2, bias=False))
    model[1].weight.data = weights
    images = torch.full((2, 3, 1, 1), 0.5)
    adversarial = attack(model, images, torch.tensor([0, 1]), epsilon=0.1, steps=10, generator=generator())
    expected = 0.5 + 0.1 * torch.tensor([[-1.0, 1.0, -1.0], [1.0, -1.0, 1.0]])
    torch.testing.assert_close(adversarial.detach().flatten(1), expected)


@pytest.mark.parametrize("steps", [1, 3])
def test_attack_stays_in_the_ball_and_in_range(steps, pool):
    images, labels = as_images(pool[:8]), torch.arange(8)
    network, _ = trainer.build_miniature("squeezenet")
    model = trainer.Normalized(network).eval()
    adversarial = attack(model, images, labels, epsilon=8 / 255, steps=steps, generator=generator())
    assert (adversarial - images).abs().max() <= 8 / 255 + 1e-6
    assert adversarial.min() >= 0
    assert adversarial.max() <= 1


def test_corruptions_change_most_images_and_stay_in_range(pool):
    images = as_images(pool[:64])
    corrupted = corrupt(images, generator())
    changed = (corrupted - images).abs().flatten(1).amax(dim=1) > 1e-3
    assert 0.5 < changed.float().mean() < 1
    assert corrupted.min() >= 0
    assert corrupted.max() <= 1
    torch.testing.assert_close(corrupted, corrupt(images, generator()))


def test_augmentation_moves_and_mirrors_but_keeps_the_pixels(pool):
    images = as_images(pool[:16])
    moved = augment(images, generator(3))
    assert moved.shape == images.shape
    assert not torch.equal(moved, images)
    assert torch.isin(moved, images).all()


def test_schedules_begin_and_end_where_they_should():
    recipe = Recipe(objective="adversarial", epsilon=0.1, clean_share=0.5, ramp_share=0.25, learning_rate=1.0)
    assert [trainer.epsilon_at(recipe, p) for p in (0.0, 0.5, 0.625, 0.75, 1.0)] == pytest.approx(
        [0, 0, 0.05, 0.1, 0.1]
    )
    rates = [trainer.learning_rate_at(recipe, p) for p in np.linspace(0, 1, 21)]
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.0, abs=1e-12)


def test_recipes_need_only_networks_that_have_a_recipe():
    for key, recipe in RECIPES.items():
        for need in recipe.needs:
            assert list(RECIPES).index(need) < list(RECIPES).index(key), f"{key} needs {need} first"


def test_unknown_miniatures_are_named(tmp_path):
    with pytest.raises(ValueError, match="resnet99"):
        train_zoo(["resnet99"], folder=tmp_path)
    with pytest.raises(ValueError, match="workers"):
        train_zoo(["resnet18"], folder=tmp_path, workers=0)
