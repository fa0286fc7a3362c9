"""Images out of a study's results: examples of every set and stage, and metamers as PNG files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from torch import Tensor

from metamerlib.checks import names
from metamerlib.models import Stage
from metamerlib.system import atomic_write

if TYPE_CHECKING:
    from metamerbook.study.study import Study


def examples(study: "Study", images: Sequence[int]) -> dict[tuple[str, Stage], Tensor]:
    """Pick some metamers of every set and stage (paper, Figure 2).

    Parameters
    ----------
    study
        Whose sets and stages.
    images
        Positions in the study's references.

    Returns
    -------
    dict
        (name of the set, stage) to (len(images), 3, H, W) in [0, 1], in the order of sets, then stages.

    Raises
    ------
    IndexError
        If there is no such image.
    """
    count = len(study.references)
    outside = [position for position in images if not 0 <= position < count]
    if outside:
        raise IndexError(f"images names {outside}: the study has images 0 to {count - 1}.")
    runs = study.runs
    study.execute(runs)
    return {(run.name, run.stage): study.result(run).images[list(images)] for run in runs}


def one_per_category(study: "Study", categories: Sequence[str] | None = None) -> list[int]:
    """Find the first reference of each category.

    Parameters
    ----------
    study
        Whose references.
    categories
        Which categories; None takes all that have an image.

    Returns
    -------
    list of int
        Positions in the study's references, in the order of the categories.

    Raises
    ------
    ValueError
        If a category has no image.
    """
    present = study.references.category_names
    wanted = list(dict.fromkeys(present)) if categories is None else names(categories, "categories")
    if absent := [category for category in wanted if category not in present]:
        raise ValueError(f"categories names {absent}: the study has images of {', '.join(dict.fromkeys(present))}.")
    return [present.index(category) for category in wanted]


def spread_over_categories(study: "Study", count: int) -> list[int]:
    """Choose references of different categories, spread evenly over them.

    Parameters
    ----------
    study
        Whose references.
    count
        How many; fewer come back where there are fewer categories.

    Returns
    -------
    list of int
        Positions in the study's references, the first of each category chosen.
    """
    firsts = one_per_category(study)
    if count >= len(firsts):
        return firsts
    step = (len(firsts) - 1) / max(count - 1, 1)
    return [firsts[round(number * step)] for number in range(count)]


def write_pictures(study: "Study", folder: Path) -> int:
    """Write every metamer of a study as a PNG file, in one folder per set and stage.

    Parameters
    ----------
    study
        Whose metamers.
    folder
        Where to; it is made if need be.

    Returns
    -------
    int
        Number of files.
    """
    count = 0
    for run in study.runs:
        place = folder / f"{run.name}-{run.stage}".replace(" ", "_").replace("/", "_")
        place.mkdir(parents=True, exist_ok=True)
        pixels = study.result(run).images.mul(255).round().byte().permute(0, 2, 3, 1).numpy()
        for position, (image, category) in enumerate(zip(pixels, study.references.category_names, strict=True)):
            with atomic_write(place / f"{position:04d}-{category}.png") as draft:
                Image.fromarray(image).save(draft)
            count += 1
    return count
