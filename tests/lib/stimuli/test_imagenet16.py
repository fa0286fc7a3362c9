"""Photographs of the sixteen categories out of the layouts in which ILSVRC's validation images go around."""

import io
import random
import tarfile

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from metamerlib.stimuli import CATEGORIES, SYNSETS, UnreadableImagesError, UnreadableImagesWarning, load_stimuli

CATEGORY = {wnid: category for category, synsets in SYNSETS.items() for wnid, _ in synsets}
INDEX = {wnid: index for synsets in SYNSETS.values() for wnid, index in synsets}
OTHER = "n01440764", 0  # tench, of no category


def imagenet16(root, **options):
    return load_stimuli("imagenet16", root=root, **options)


@pytest.fixture(scope="module")
def truth():
    """Number each class's images, in no order: three of airplane's one class, one of each other's, some of none."""
    wnids = [*CATEGORY, *SYNSETS["airplane"][0][:1] * 2, *["n02835271"] * 2, *[OTHER[0]] * 5]
    random.Random(0).shuffle(wnids)
    return dict(enumerate(wnids, start=1))


def name_of(number):
    return f"ILSVRC2012_val_{number:08}.JPEG"


def write(path, number):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (9, 8), (number, 255 - number, 7)).save(path, format="PNG")


@pytest.fixture(scope="module")
def nested(truth, tmp_path_factory):
    root = tmp_path_factory.mktemp("nested") / "val"
    for number, wnid in truth.items():
        write(root / wnid / name_of(number), number)
    return root


@pytest.fixture
def flat(truth, tmp_path):
    root = tmp_path / "ILSVRC2012_img_val"
    for number in truth:
        write(root / name_of(number), number)
    return root


def kit(truth):
    """Write the development kit's two files, with its own numbers of the classes."""
    wnids = sorted(set(truth.values()), reverse=True)
    kinds = [("ILSVRC2012_ID", object), ("WNID", object), ("words", object), ("num_children", object)]
    synsets = np.array([(number, wnid, "words", 0) for number, wnid in enumerate(wnids, start=1)], dtype=kinds)
    stream = io.BytesIO()
    savemat(stream, {"synsets": synsets})
    lines = "".join(f"{wnids.index(truth[number]) + 1}\n" for number in sorted(truth))
    return {"meta.mat": stream.getvalue(), "ILSVRC2012_validation_ground_truth.txt": lines.encode()}


def put_kit(folder, truth):
    for name, content in kit(truth).items():
        (folder / "ILSVRC2012_devkit_t12" / "data").mkdir(parents=True, exist_ok=True)
        (folder / "ILSVRC2012_devkit_t12" / "data" / name).write_bytes(content)


def put_kit_archive(folder, truth):
    with tarfile.open(folder / "ILSVRC2012_devkit_t12.tar.gz", "w:gz") as tar:
        for name, content in kit(truth).items():
            entry = tarfile.TarInfo(f"ILSVRC2012_devkit_t12/data/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def lines_into(name, line, head=""):
    def put(folder, truth):
        (folder / name).write_text(head + "".join(line(number, truth[number]) + "\n" for number in sorted(truth)))

    return put


def index(wnid):
    return INDEX.get(wnid, OTHER[1])


LISTS = {
    "kit": put_kit,
    "kit archive": put_kit_archive,
    "synsets": lines_into("imagenet_2012_validation_synset_labels.txt", lambda _, wnid: wnid),
    "indices": lines_into("val.txt", lambda number, wnid: f"{name_of(number)} {index(wnid)}"),
    "names": lines_into("val.txt", lambda number, wnid: f"val/{name_of(number)}\t{wnid}"),
    "Kaggle": lines_into(
        "LOC_val_solution.csv",
        lambda number, wnid: f"{name_of(number).removesuffix('.JPEG')},{wnid} 1 2 3 4 {wnid} 5 6 7 8",
        "ImageId,PredictionString\n",
    ),
}


def test_images_are_drawn_per_category_with_their_labels(nested, truth):
    photographs = load_stimuli("imagenet16", root=nested, n_per_class=1, size=8)
    assert photographs.images.shape == (16, 3, 8, 8)
    assert photographs.labels.tolist() == list(range(16))
    assert photographs.categories == CATEGORIES
    for source, category, image in zip(
        photographs.sources, photographs.category_names, photographs.images, strict=True
    ):
        wnid, name = source.split("/")
        number = int(name[15:23])
        assert CATEGORY[wnid] == category
        assert truth[number] == wnid
        assert round(image[0, 0, 0].item() * 255) == number


@pytest.mark.parametrize("layout", LISTS)
def test_the_same_photographs_come_out_of_every_layout(layout, nested, flat, truth):
    LISTS[layout](flat, truth)
    side_by_side = imagenet16(flat, n_per_class=2, size=8, categories=["bird", "dog"], seed=3)
    in_folders = imagenet16(nested, n_per_class=2, size=8, categories=["bird", "dog"], seed=3)
    assert side_by_side.sources == in_folders.sources
    assert side_by_side.fingerprint == in_folders.fingerprint


@pytest.mark.parametrize("place", [".", "..", "../.."])
def test_the_list_may_lie_above_or_beside_and_the_root_above(place, flat, truth):
    root = flat.parent
    assert (flat / place).resolve().exists()
    put_kit_archive((flat / place).resolve(), truth)
    try:
        assert len(imagenet16(root, n_per_class=1, size=8)) == 16
    finally:
        (flat / place / "ILSVRC2012_devkit_t12.tar.gz").unlink()


def test_the_draw_depends_on_the_seed_and_grows(nested):
    def sources(n, seed):
        return set(imagenet16(nested, n_per_class=n, size=8, categories=["dog"], seed=seed).sources)

    assert sources(4, 0) < sources(9, 0)
    assert sources(9, 0) != sources(9, 1)
    assert len({source.split("/")[0] for source in sources(9, 0)}) == 9, "classes are mixed"


def test_the_papers_size_and_number_are_the_defaults(nested):
    with pytest.raises(ValueError, match=r"n_per_class=25 readable images per category.*airplane has 3"):
        imagenet16(nested)
    assert imagenet16(nested, n_per_class=1, categories=["oven"]).size == (224, 224)


def test_categories_choose_and_the_labels_stay(nested):
    photographs = imagenet16(nested, n_per_class=1, size=8, categories=["truck", "bear"])
    assert photographs.category_names == ["bear", "truck"]
    assert photographs.categories == CATEGORIES
    with pytest.raises(ValueError, match="got lorry"):
        imagenet16(nested, categories=["lorry"])


def test_a_damaged_photograph_is_named_or_replaced(flat, truth):
    LISTS["synsets"](flat, truth)
    planes = [number for number, wnid in truth.items() if wnid == "n02690373"]
    (flat / name_of(planes[0])).write_bytes(b"damaged")
    with pytest.raises(UnreadableImagesError, match=rf"n02690373/{name_of(planes[0])}"):
        imagenet16(flat, n_per_class=3, size=8, categories=["airplane"])
    with pytest.warns(UnreadableImagesWarning, match=name_of(planes[0])):
        photographs = imagenet16(flat, n_per_class=2, size=8, categories=["airplane"], seed=1, on_unreadable="report")
    assert len(photographs) == 2


def test_folders_that_are_something_else(tmp_path, nested, flat, truth):
    with pytest.raises(FileNotFoundError, match="is no folder"):
        imagenet16(tmp_path / "nothing")
    (tmp_path / "cats").mkdir()
    with pytest.raises(ValueError, match=r"holds neither sub-folders such as n02123045.*name='folder'"):
        imagenet16(tmp_path / "cats")
    write(tmp_path / "part" / "n02690373" / name_of(1), 1)
    with pytest.raises(ValueError, match="206 of the 207 classes have no sub-folder"):
        imagenet16(tmp_path / "part")
    with pytest.raises(ValueError, match=r"no list of their classes.*ILSVRC2012_devkit_t12\.tar\.gz"):
        imagenet16(flat)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("val.txt", b"a b\nc d\n", "is not understood"),
        ("imagenet_2012_validation_synset_labels.txt", b"n00000001\n" * 3, "names no class"),
        ("ILSVRC2012_devkit_t12.tar.gz", b"\x1f\x8bnonsense", "development kit, or damaged"),
        ("ILSVRC2012_validation_ground_truth.txt", b"1\n2\n", r"needs the kit's meta\.mat"),
    ],
)
def test_lists_that_are_something_else(flat, name, content, words):
    (flat / name).write_bytes(content)
    with pytest.raises(ValueError, match=words):
        imagenet16(flat)


def test_a_damaged_meta_file_is_said(flat, truth):
    put_kit(flat, truth)
    (flat / "ILSVRC2012_devkit_t12" / "data" / "meta.mat").write_bytes(b"MATLAB 5.0 nonsense")
    with pytest.raises(ValueError, match="is not understood"):
        imagenet16(flat)


def test_load_stimuli_asks_for_the_folder():
    with pytest.raises(ValueError, match="ILSVRC 2012's validation images, got None"):
        load_stimuli("imagenet16")
