import itertools
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from metamerlib.stimuli import (
    CATEGORIES,
    SYNSETS,
    UnreadableImage,
    UnreadableImagesError,
    UnreadableImagesWarning,
    load_stimuli,
)

PHOTOGRAPHS = os.environ.get("METAMERLIB_PHOTOS")


def image_folder(root, **options):
    return load_stimuli("folder", root=root, **options)


def fill(root, **names):
    """Write one small flat picture per name; every picture has a grey level of its own."""
    level = 0
    for category, file_names in names.items():
        (root / category).mkdir(parents=True, exist_ok=True)
        for file_name in file_names:
            level += 1
            Image.new("RGB", (12, 10), (level,) * 3).save(root / category / file_name, format="PNG")
    return root


def numbered(n):
    return [f"{index:02}.png" for index in range(n)]


def test_images_labels_and_sources_belong_together(tmp_path):
    fill(tmp_path, dog=["b.png", "a.png"], cat=["c.png"])
    photographs = image_folder(tmp_path, size=8)
    assert photographs.images.shape == (3, 3, 8, 8)
    assert photographs.images.dtype == torch.float32
    assert photographs.images.is_contiguous()
    assert photographs.sources == ("cat/c.png", "dog/a.png", "dog/b.png")
    assert photographs.category_names == ["cat", "dog", "dog"]
    assert torch.equal(photographs.images[:, 0, 0, 0], torch.tensor([3, 2, 1]) / 255)
    assert photographs.unreadable == ()


def test_default_size_is_the_papers(tmp_path):
    assert image_folder(fill(tmp_path, cat=["a.png"])).size == (224, 224)


def test_labels_index_the_sixteen_if_every_folder_is_one_of_them(tmp_path):
    photographs = image_folder(fill(tmp_path, truck=["a.png"], bear=["a.png"]), size=8)
    assert photographs.categories == CATEGORIES
    assert photographs.labels.tolist() == [1, 15]


def test_other_folder_names_become_the_categories_in_order(tmp_path):
    photographs = image_folder(fill(tmp_path, truck=["a.png"], automobile=["a.png"]), size=8)
    assert photographs.categories == ("automobile", "truck")
    assert photographs.labels.tolist() == [0, 1]


def test_given_categories_are_indexed_in_their_order_and_may_lack_a_folder(tmp_path):
    photographs = image_folder(fill(tmp_path, cat=["a.png"], dog=["a.png"]), size=8, categories=["dog", "elk", "cat"])
    assert photographs.categories == ("dog", "elk", "cat")
    assert photographs.category_names == ["dog", "cat"]
    assert photographs.labels.tolist() == [0, 2]


def test_hidden_files_and_system_litter_are_passed_over(tmp_path):
    fill(tmp_path, cat=["a.png"])
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "cat" / "._a.png").write_bytes(b"x")
    (tmp_path / "cat" / "Thumbs.db").write_bytes(b"x")
    assert image_folder(tmp_path, size=8).sources == ("cat/a.png",)


def write_names(folder, names):
    """Write a picture under each name, given as the bytes that the file system holds."""
    folder.mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(folder.parent / ".picture", format="PNG")
    for name in names:
        try:
            with open(os.path.join(os.fsencode(folder), name), "wb") as file:
                file.write((folder.parent / ".picture").read_bytes())
        except OSError:
            pytest.skip("this file system takes no such name")


def test_file_names_that_are_not_utf8_are_read(tmp_path):
    write_names(tmp_path / "cat", [b"caf\xe9.png", "café.png".encode()])
    photographs = image_folder(tmp_path, size=4, n_per_class=2)
    assert photographs.sources == ("cat/caf\\xe9.png", "cat/café.png")


def test_names_in_both_unicode_forms_are_one_category_and_two_files(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    write_names(tmp_path / decomposed, [f"{one}.png".encode() for one in (composed, decomposed)])
    assert image_folder(tmp_path, size=4).categories == (composed,)
    photographs = image_folder(tmp_path, size=4, categories=[composed])
    assert photographs.sources[0] == f"{composed}/{composed}.png"
    assert len(set(photographs.sources)) == 2
    (tmp_path / composed).mkdir()
    with pytest.raises(ValueError, match="two sub-folders"):
        image_folder(tmp_path, size=4)


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    fill(tmp_path / "photographs", cat=["a.png"])
    assert load_stimuli("folder", root="~/photographs", size=4).sources == ("cat/a.png",)


def test_choice_depends_on_seed_and_names_only(tmp_path):
    first = image_folder(fill(tmp_path / "one", cat=numbered(20), dog=numbered(20)), n_per_class=5, seed=3, size=8)
    # The same names with other content, written in another order, beside another category.
    fill(tmp_path / "two", elk=numbered(9), dog=numbered(20)[::-1], cat=numbered(20)[::-1])
    second = image_folder(tmp_path / "two", n_per_class=5, seed=3, size=8)
    assert set(first.sources) == {source for source in second.sources if not source.startswith("elk")}
    assert first.category_names == ["cat"] * 5 + ["dog"] * 5
    assert list(first.sources) == sorted(first.sources)
    assert {source[4:] for source in first.sources[:5]} != {source[4:] for source in first.sources[5:]}
    other_seed = image_folder(tmp_path / "one", n_per_class=5, seed=4, size=8)
    assert set(other_seed.sources) != set(first.sources)


def test_more_images_extend_the_choice(tmp_path):
    fill(tmp_path, cat=numbered(12))
    choices = [set(image_folder(tmp_path, n_per_class=n, size=4).sources) for n in range(1, 13)]
    assert all(fewer < more for fewer, more in itertools.pairwise(choices))
    assert choices[-1] == set(image_folder(tmp_path, size=4).sources)


def spoil(root):
    (root / "cat" / "page.jpg").write_text("<html>not found</html>")
    (root / "dog" / "empty.png").write_bytes(b"")
    (root / "dog" / "notes.txt").write_text("a note")
    Image.new("RGB", (64, 64)).save(root / "dog" / "cut.jpg")
    content = (root / "dog" / "cut.jpg").read_bytes()
    (root / "dog" / "cut.jpg").write_bytes(content[: len(content) // 2])
    (root / "dog" / "puppies").mkdir()
    (root / "loose.png").write_bytes(b"")
    return {"cat/page.jpg", "dog/empty.png", "dog/notes.txt", "dog/cut.jpg", "dog/puppies/", "loose.png"}


def test_one_error_names_everything_that_cannot_be_read(tmp_path):
    fill(tmp_path, cat=["a.png"], dog=["a.png"])
    spoiled = spoil(tmp_path)
    with pytest.raises(UnreadableImagesError, match=r"(?s)6 files.*on_unreadable='report'") as caught:
        image_folder(tmp_path, size=8)
    assert {image.source for image in caught.value.unreadable} == spoiled
    for image in caught.value.unreadable:
        assert str(image) in str(caught.value)


def test_report_leaves_out_and_lists(tmp_path):
    fill(tmp_path, cat=["a.png"], dog=["a.png"])
    clean = image_folder(tmp_path, size=8)
    spoiled = spoil(tmp_path)
    with pytest.warns(UnreadableImagesWarning, match="left out: 6 files") as caught:
        photographs = load_stimuli("folder", root=tmp_path, size=8, on_unreadable="report")
    assert caught[0].filename == __file__
    assert {image.source for image in photographs.unreadable} == spoiled
    assert UnreadableImage("dog/empty.png", "the file is empty") in photographs.unreadable
    assert all(image.source in str(caught[0].message) for image in photographs.unreadable)
    assert photographs.fingerprint == clean.fingerprint
    assert "6 unreadable left out" in repr(photographs)
    assert photographs[:1].unreadable == photographs.unreadable


def test_of_very_many_files_that_are_no_images_the_message_names_the_first(tmp_path):
    (tmp_path / "cat").mkdir()
    for number in range(200):
        (tmp_path / "cat" / f"{number:03d}.png").write_bytes(b"no picture")
    with pytest.raises(UnreadableImagesError, match=r"(?s)200 files.*cat/000.png.*… and 150 more\n") as caught:
        image_folder(tmp_path, size=8)
    assert len(caught.value.unreadable) == 200
    assert len(str(caught.value).splitlines()) < 60


def test_report_replaces_unreadable_files_of_the_choice(tmp_path):
    fill(tmp_path, cat=numbered(10))
    chosen = image_folder(tmp_path, n_per_class=4, size=8)
    (tmp_path / chosen.sources[0]).write_bytes(b"")
    with pytest.warns(UnreadableImagesWarning, match="1 files"):
        photographs = image_folder(tmp_path, n_per_class=4, size=8, on_unreadable="report")
    assert len(photographs) == 4
    assert set(chosen.sources[1:]) < set(photographs.sources)


@pytest.mark.filterwarnings("ignore::metamerlib.stimuli.UnreadableImagesWarning")
def test_report_still_refuses_categories_without_enough_readable_images(tmp_path):
    fill(tmp_path, cat=numbered(2), dog=numbered(3))
    (tmp_path / "cat" / "00.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"n_per_class=2 readable images.*cat has 1; ask for fewer"):
        image_folder(tmp_path, n_per_class=2, size=8, on_unreadable="report")
    (tmp_path / "cat" / "01.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"at least one readable image.*cat has 0"):
        image_folder(tmp_path, size=8, on_unreadable="report")


def test_folders_that_are_not_there_say_what_was_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"folder of category sub-folders.*nowhere' does not exist"):
        image_folder(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match=r"folder of category sub-folders.*is a file"):
        image_folder(tmp_path / "file")


def test_folders_without_sub_folders_or_images_say_what_was_expected(tmp_path):
    with pytest.raises(ValueError, match=r"JPEG, PNG or WebP.*holds nothing and no sub-folder"):
        image_folder(tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"holds 1 files and no sub-folder"):
        image_folder(tmp_path)
    fill(tmp_path, cat=[], dog=["a.png"])
    (tmp_path / "cat" / "tabbies").mkdir()
    with pytest.raises(ValueError, match=r"at least one.*cat has 0; .*Not directly in.*a\.png, cat/tabbies/"):
        image_folder(tmp_path)


def test_unknown_categories_say_what_was_expected(tmp_path):
    fill(tmp_path, cat=["a.png"], zebra=["a.png"])
    with pytest.raises(ValueError, match=r"categories: .*not among them: zebra; expected only airplane, .*, truck"):
        image_folder(tmp_path, categories=CATEGORIES)


def test_too_few_images_say_which_categories_lack_them(tmp_path):
    fill(tmp_path, cat=numbered(2), dog=numbered(4), elk=numbered(1))
    with pytest.raises(ValueError, match=r"n_per_class=3 readable images.*but cat has 2, elk has 1; ask for fewer"):
        image_folder(tmp_path, n_per_class=3)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"size": 0}, "size is 0: give at least 1"),
        ({"n_per_class": 0}, "n_per_class is 0: give at least 1"),
        ({"on_unreadable": "skip"}, "on_unreadable='skip' is unknown; choose one of 'raise', 'report'"),
        ({"categories": "cat"}, "categories is 'cat': give a list of names"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path, argument, message):
    fill(tmp_path, cat=["a.png"])
    with pytest.raises((ValueError, TypeError), match=message):
        load_stimuli("folder", root=tmp_path, **argument)


def test_load_stimuli_reads_folders(tmp_path):
    fill(tmp_path, cat=numbered(3), elk=numbered(3))
    options = {"n_per_class": 2, "seed": 5, "size": 8, "categories": ["elk", "cat"]}
    through_door = load_stimuli("folder", root=tmp_path, **options)
    assert through_door.fingerprint == image_folder(tmp_path, **options).fingerprint
    with pytest.raises(ValueError, match="root: expected the path of a folder"):
        load_stimuli("folder")


def test_load_stimuli_names_what_there_is(tmp_path):
    with pytest.raises(ValueError, match=r"one of 'objects16', 'folder', 'imagenet16'. Did you mean 'objects16'"):
        load_stimuli("object16")
    with pytest.raises(ValueError, match="root: objects16 is drawn, not read"):
        load_stimuli("objects16", root=tmp_path)


@pytest.mark.skipif(not PHOTOGRAPHS, reason="METAMERLIB_PHOTOS names no folder of category folders of photographs")
def test_real_photographs():
    photographs = image_folder(PHOTOGRAPHS, size=64)
    files = [path for path in Path(PHOTOGRAPHS).glob("*/*") if not path.name.startswith(".")]
    assert len(photographs) == len(files)
    contrast = photographs.images.flatten(1).std(dim=1)
    assert contrast.min() > 0.02  # a photograph is not one flat colour
    # Where files are named by WordNet id, the folder that one lies in is checked against the mapping.
    by_wnid = {wnid: category for category, rows in SYNSETS.items() for wnid, _ in rows}
    named = [(source, by_wnid[Path(source).stem]) for source in photographs.sources if Path(source).stem in by_wnid]
    assert all(Path(source).parent.name == category for source, category in named)
    # Read at its own size, a square photograph comes back pixel for pixel.
    path = files[0]
    with Image.open(path) as file:
        width, height = file.size
        pixels = np.asarray(file.convert("RGB"))
    side = min(width, height)
    top, left = (height - side) // 2, (width - side) // 2
    whole = image_folder(PHOTOGRAPHS, size=side)
    index = whole.sources.index(f"{path.parent.name}/{path.name}")
    expected = torch.from_numpy(pixels[top : top + side, left : left + side] / np.float32(255)).permute(2, 0, 1)
    assert torch.equal(whole.images[index], expected)
