"""What Fig. 1, the distortions and the criteria are made of, on toy networks."""

import pytest
import torch
from torch import nn

from metamerbook.ensembles.introduction import overview
from metamerbook.ensembles.related_work import PLAIN, distortions
from metamerbook.study.settings import StudySettings
from metamerbook.study.study import Study
from metamerlib import CATEGORIES, Classifier, GenerationConfig, StimulusSet
from metamerlib.evaluation import METRICS

SIDE = 16


def toy(name, seed):
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 5, stride=3), nn.Tanh(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(16, len(CATEGORIES))
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 3)
    return Classifier(network, name=name, blocks=["0", "1", "2"], categories=CATEGORIES)


def references(count=5):
    pixels = torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 0, 6, 6, 9])[:count]
    return StimulusSet(pixels, labels, CATEGORIES, tuple("vwxyz")[:count])


def study(folder, sets=None, count=5, **settings):
    zoo = {name: toy(name, seed) for seed, name in enumerate("abcd")}
    config = GenerationConfig(repetitions=4, steps_per_model=2)
    settings = StudySettings(model_sets=sets or {"one": ("c",), "pair": ("a", "b")}, config=config, **settings)
    return Study(settings, zoo=zoo, references=references(count), store=folder, progress=False)


def test_an_overview_follows_one_picture_of_the_study(tmp_path):
    the_study = study(tmp_path)
    seen = overview(the_study, n_examples=2, n_snapshots=3)
    assert (seen.model_set, seen.stage, seen.model, seen.category) == ("pair", "late", "b", "car")
    assert torch.equal(seen.reference, the_study.references.images[2])
    metamers = the_study.metamers("pair", "late")
    assert torch.allclose(seen.trajectory.images[-1, 0], metamers.images[2], atol=1e-5)
    assert torch.equal(seen.example_metamers, metamers.images[[0, 2]])
    assert seen.trajectory.updates[-1] == metamers.updates
    residual = (seen.metamer_activation - seen.reference_activation).norm() / seen.reference_activation.norm()
    assert residual.item() == pytest.approx(metamers.residuals[2, 1].item(), rel=1e-4)


def test_judges_of_an_overview_had_no_part(tmp_path):
    the_study = study(tmp_path)
    seen = overview(the_study)
    assert seen.verdicts["evaluator"].tolist() == ["c", "d"]
    images = torch.stack([seen.reference, the_study.metamers("pair", "late").images[2]])
    classes = [CATEGORIES[index] for index in the_study.zoo["d"].predict(images)]
    assert seen.verdicts.iloc[1].tolist() == ["d", *classes]
    assert seen.distances.evaluator == "c"
    assert seen.distances.reference.shape == (5, 5)


def test_an_overview_of_two_pictures_or_without_judges_lacks_what_it_cannot_have(tmp_path):
    assert overview(study(tmp_path, count=2)).distances is None
    alone = overview(study(tmp_path, {"all": tuple("abcd")}))
    assert alone.distances is None
    assert alone.verdicts.empty
    assert list(alone.verdicts) == ["evaluator", "reference_class", "metamer_class"]


def test_an_altered_picture_is_measured_against_itself():
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    one, again, other = (distortions(image, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one.images["copy"], image)
    assert all(
        picture.shape == image.shape and 0 <= picture.min() <= picture.max() <= 1 for picture in one.images.values()
    )
    assert torch.equal(one.images["noisy"], again.images["noisy"])
    assert not torch.equal(one.images["noisy"], other.images["noisy"])
    values = one.metrics.set_index(["alteration", "metric"])["value"]
    for key in PLAIN:
        if METRICS[key].perfect is not None:
            assert values["copy", key] == pytest.approx(METRICS[key].perfect, abs=1e-4), key
    assert values["grey", "tv"] == 0
    assert sorted(set(one.metrics["metric"])) == sorted(PLAIN)
