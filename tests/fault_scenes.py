"""What is lost when the disk is full or a process is killed: scenes, each played on files of its own.

Run as a script with a folder and the names of scenes it prints what came of each, as JSON. With ``--full-disk`` it
first puts a small file system of its own there, which others do not see and which ends with the process:
``unshare --map-root-user --mount python fault_scenes.py --full-disk FOLDER NAME …``.
"""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import warnings
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import torch

TESTS = Path(__file__).parent
sys.path += [str(TESTS), *(str(TESTS / room) for room in ("book/engine", "lib/generation", "lib/models"))]

import store_toys  # noqa: E402
import toy_models  # noqa: E402
from weight_server import serving  # noqa: E402

from metamerbook.engine.store import Store  # noqa: E402
from metamerbook.ensembles.recognizability import write_pictures  # noqa: E402
from metamerlib.generation import GenerationConfig, generate_metamers  # noqa: E402
from metamerlib.models import downloads  # noqa: E402
from metamerlib.models.published import Release  # noqa: E402
from metamerlib.models.training import Recipe, trainer  # noqa: E402
from metamerlib.models.weights import WeightsFolder  # noqa: E402
from metamerlib.stimuli.objects16 import drawings_batch  # noqa: E402
from metamerlib.system import atomic_write  # noqa: E402

MEGABYTE = 1 << 20


class Disk:
    """A small disk that can be filled up."""

    def __init__(self, folder):
        self.folder, self.ballast = folder, folder / "ballast"

    def fill(self, leaving=0):
        """Leave so many bytes free."""
        space = os.statvfs(self.folder)
        free = max(space.f_bavail * space.f_frsize - leaving, 0)
        with self.ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free)

    def clear(self):
        self.ballast.unlink()

    def files(self, folder):
        """List what is in a folder, hidden files too."""
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def attempt(action):
    """Give the error or warning that an action ends with, as class and text, and what it returns."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value, error = action(), None
        except Exception as raised:
            value, error = None, raised
    kind = [one.__name__ for one in type(error).__mro__] if error else []
    return {"error": kind, "message": str(error or ""), "warnings": [str(one.message) for one in caught]}, value


def store(disk):
    """Keep a result of each kind."""
    metamers = generation(None)
    values = {
        store_toys.Toy: {"value": torch.rand(MEGABYTE // 2)},
        store_toys.ToyTable: pd.DataFrame({"value": torch.rand(MEGABYTE // 2).numpy()}),
        store_toys.ToyMetamers: metamers,
    }
    found = {}
    for kind, value in values.items():
        place = Store(disk.folder / kind.__name__)
        place.root.mkdir()
        disk.fill(leaving=16_384)
        report, _ = attempt(lambda place=place, kind=kind, value=value: place.get_or_compute(kind(), lambda _: value))
        report["files"] = [name for name in disk.files(place.root) if not name.startswith("locks")]
        disk.clear()
        report["there"] = kind() in place
        again, _ = attempt(lambda place=place, kind=kind, value=value: place.get_or_compute(kind(), lambda _: value))
        found[kind.__name__] = report | {"afterwards": again["message"]}
    return found


def generation(checkpoint):
    """Make metamers of a megabyte."""
    torch.set_num_threads(1)
    return generate_metamers(
        toy_models.random_images(80, size=64),
        toy_models.wrap(toy_models.Pixels(slice(None))),
        stage="tap",
        config=GenerationConfig(repetitions=2, steps_per_model=1),
        checkpoint=checkpoint,
        checkpoint_every=0,
        device="cpu",
        progress=False,
    )


def checkpoint(disk):
    """Go on without the checkpoints of a generation."""
    place = disk.folder / "run"
    place.mkdir()
    disk.fill(leaving=16_384)
    report, found = attempt(lambda: generation(place / "c.safetensors"))
    disk.clear()
    return report | {"files": disk.files(place), "same": torch.equal(found.images, generation(None).images)}


def pictures(disk):
    """Write metamers as PNG: the folder holds whole pictures only."""
    image = torch.rand(3, 3, 400, 400)
    run = SimpleNamespace(name="one", stage="late")
    references = SimpleNamespace(categories=("cat", "dog"), labels=[0, 1, 1])
    study = SimpleNamespace(runs=[run], references=references, result=lambda _: SimpleNamespace(images=image))
    disk.fill(leaving=700_000)  # a picture has 480 000 bytes
    report, _ = attempt(lambda: write_pictures(study, disk.folder / "png"))
    report["files"] = disk.files(disk.folder / "png")
    disk.clear()
    again, count = attempt(lambda: write_pictures(study, disk.folder / "png"))
    return report | {"afterwards": again["message"], "count": count}


def table(disk):
    """Write a table in the place of an older one, which stays."""
    path = disk.folder / "t.csv"
    path.write_text("old")

    def write():
        with atomic_write(path) as draft:
            pd.DataFrame({"value": range(200_000)}).to_csv(draft)

    disk.fill(leaving=16_384)
    report, _ = attempt(write)
    disk.clear()
    return report | {"content": path.read_text(), "files": [n for n in disk.files(disk.folder) if "t.csv" in n]}


def fetch(disk):
    """Download weights, bare and out of an archive."""
    content = io.BytesIO()
    torch.save({"weight": torch.rand(MEGABYTE // 4)}, content)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("mine.pth")
        entry.size = len(content.getvalue())
        tar.addfile(entry, io.BytesIO(content.getvalue()))
    found = {}
    with serving() as host:
        host.files |= {"/w.pth": content.getvalue(), "/all.tar": archive.getvalue()}
        for name, facts, room in (
            ("bare", {"url": f"{host.address}/w.pth"}, 300_000),
            ("archive", {"url": f"{host.address}/all.tar", "member": "mine.pth"}, len(archive.getvalue()) + 300_000),
        ):
            release = Release(file="w.pth", page="https://example.org", **facts)
            weights = downloads.WeightsCache(disk.folder / name)
            weights.release = lambda _, release=release: release
            weights.folder.mkdir()
            disk.fill(leaving=room)
            report, _ = attempt(lambda weights=weights: weights.fetch("any"))
            disk.clear()
            report["named"] = (weights.folder / "w.pth").exists()
            again, _ = attempt(lambda weights=weights: weights.fetch("any"))
            whole = (weights.folder / "w.pth").read_bytes() == content.getvalue()
            found[name] = report | {"afterwards": again["message"], "whole": whole, "asked": host.asked[:]}
            host.asked.clear()
    return found


def training(disk):
    """Train without being able to write checkpoints, and keep the old weights where new ones do not fit."""
    place = disk.folder / "zoo"
    weights = WeightsFolder(place)
    network, _ = trainer.build_miniature("squeezenet")
    weights.write(network, "squeezenet")
    before = weights.file("squeezenet").read_bytes()
    trainer._CHECKPOINT_SECONDS = -1
    pool, _ = drawings_batch(0, 0, 16, 64)
    recipe = Recipe(images=8, batch_size=4)
    disk.fill(leaving=16_384)
    options = {"networks": {}, "checkpoint": place / "c.pt"}
    report, trained = attempt(lambda: trainer.train_miniature("squeezenet", recipe, pool, **options))
    writing, _ = attempt(lambda: weights.write(trained, "squeezenet"))
    disk.clear()
    kept = weights.file("squeezenet").read_bytes() == before
    return report | {"writing": writing, "kept": kept, "files": disk.files(place)}


def killed_writing(folder):
    """Kill processes that write: before the first byte, half way, before the name is given, and after."""
    codes = []
    for moment in range(4):

        def write(moment=moment):
            replace = os.replace

            def deadly(*names):
                if moment == 2:
                    os.kill(os.getpid(), signal.SIGKILL)
                replace(*names)
                os.kill(os.getpid(), signal.SIGKILL)

            os.replace = deadly
            with atomic_write(folder / f"{moment}.txt") as draft:
                if moment == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                draft.write_text("new, half")
                if moment == 1:
                    os.kill(os.getpid(), signal.SIGKILL)

        (folder / f"{moment}.txt").write_text("old")
        codes.append(wait(store_toys.child(write)))
    left = sorted(path.name for path in folder.iterdir())
    contents = [(folder / f"{moment}.txt").read_text() for moment in range(4)]
    for name in left:
        os.utime(folder / name, (0, 0))
    for moment in range(4):
        with atomic_write(folder / f"{moment}.txt") as draft:
            draft.write_text("newest")
    return {"codes": codes, "left": left, "contents": contents, "swept": sorted(p.name for p in folder.iterdir())}


def killed_fetching(folder):
    """Kill a process that downloads, in the middle; the next one goes on."""
    content = io.BytesIO()
    torch.save({"weight": torch.rand(MEGABYTE)}, content)
    release = Release(url="", file="w.pth", page="https://example.org")
    with serving() as host:
        host.files["/w.pth"], host.tags["/w.pth"] = content.getvalue(), '"1"'
        weights = downloads.WeightsCache(folder)
        known = Release(url=f"{host.address}/w.pth", file=release.file, page=release.page)
        weights.release = lambda _: known

        def fetch_and_die():
            weights._enter = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
            weights.fetch("any")

        code = wait(store_toys.child(fetch_and_die))
        named = (folder / "w.pth").exists()
        report, _ = attempt(lambda: weights.fetch("any"))
        whole = (folder / "w.pth").read_bytes() == content.getvalue()
        return report | {"code": code, "named": named, "whole": whole, "asked": host.asked}


def killed_training(folder):
    """Kill a process that trains, after its third update; the next one goes on from there."""
    trainer._CHECKPOINT_SECONDS = -1
    pool, _ = drawings_batch(0, 0, 16, 64)
    recipe = Recipe(images=24, batch_size=4)
    updates, loss = [], trainer._loss

    def train(at):
        def counted(*arguments):
            updates.append(1)
            if len(updates) == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return loss(*arguments)

        trainer._loss = counted
        trainer.train_miniature("squeezenet", recipe, pool, networks={}, checkpoint=folder / "c.pt")

    code = wait(store_toys.child(train, 4))
    there = (folder / "c.pt").exists()
    train(0)
    return {"code": code, "there": there, "updates": len(updates), "left": sorted(p.name for p in folder.iterdir())}


def wait(process):
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


ON_A_FULL_DISK = {scene.__name__: scene for scene in (store, checkpoint, pictures, table, fetch, training)}
KILLED = {scene.__name__: scene for scene in (killed_writing, killed_fetching, killed_training)}


def main(folder, full_disk, names):
    """Play the scenes that were named."""
    torch.set_num_threads(1)
    reports = {}
    if full_disk:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], check=True)
    for name in names:
        place = Path(folder) / name
        place.mkdir()
        reports[name] = KILLED[name](place) if name in KILLED else ON_A_FULL_DISK[name](Disk(place))
        shutil.rmtree(place)
    print(json.dumps(reports))


if __name__ == "__main__":
    full = sys.argv[1] == "--full-disk"
    main(sys.argv[1 + full], full, sys.argv[2 + full :])
