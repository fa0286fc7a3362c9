"""The command line: what it prints, and that no foreseeable mistake shows a traceback."""

import io
import os
import re
import subprocess
import sys

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from metamerbook.cli import app, main
from metamerbook.cli.options import FLAGS
from metamerbook.study.settings import setting_names
from metamerlib import CATEGORIES

COMMANDS = [
    "run",
    "plan",
    "train",
    "layers",
    "book",
    "stimuli sheet",
    *(f"zoo {name}" for name in ("list", "show", "fetch", "verify")),
]
UNTRAINED = ["--set", "mine=alexnet_random,resnet50_random", "--evaluator", "alexnet_random"]


@pytest.fixture
def call(tmp_path, monkeypatch):
    monkeypatch.setenv("METAMERLIB_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("METAMERLIB_PROGRESS", "0")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def small(*arguments):
    return "run", "--profile", "smoke", "--repetitions", "1", "--stage", "early", *arguments


def size_of(path):
    with Image.open(path) as image:
        return image.size


def test_help_comes_without_torch():
    code = "import sys; from metamerbook.cli import app; assert not {'torch', 'pandas'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(call, command):
    result = call(*command.split(), "--help")
    assert result.exit_code == 0
    assert re.search(rf"Examples?:\s+metamerlib {command}", result.output)


@pytest.mark.parametrize("command", ["run", "plan"])
def test_help_names_every_setting(call, command):
    words = set(re.findall(r"[a-z0-9_]+", call(command, "--help").output))
    budgets = [f"{name}_" for name in ("restricted", "mixed", "ablation")]
    assert set(budgets) <= words
    for name in set(setting_names()) - set(FLAGS):
        prefix = next((one for one in budgets if name.startswith(one)), "")
        assert name in words or name.removeprefix(prefix) in words, name


def test_no_command_shows_help(call):
    assert "run" in call().output


def test_run_prints_what_it_ran_and_writes_table_and_pictures(call, tmp_path):
    result = call(*small(*UNTRAINED, "--evaluator", "resnet50_random", "--csv", "out/t.csv", "--pictures", "png"))
    assert result.exit_code == 0, result.output
    assert "mine (alexnet_random, resnet50_random)" in result.output
    assert "Mean recognizability" in result.output
    table = pd.read_csv(tmp_path / "out" / "t.csv")
    assert table["evaluator"].tolist() == ["alexnet_random", "resnet50_random"]
    pictures = sorted((tmp_path / "png" / "mine-early").iterdir())
    assert [path.name for path in pictures][:2] == ["0000-airplane.png", "0001-cat.png"]
    assert size_of(pictures[0]) == (64, 64)


def test_run_takes_a_preset_and_says_so(call):
    result = call(*small(*UNTRAINED, "--evaluator", "resnet50_random", "--preset", "fast"))
    assert result.exit_code == 0, result.output
    assert "1 repetition × 1 step per model by the preset “fast”" in result.output


def test_run_takes_ones_own_photographs(call, tmp_path):
    for category in ("cat", "dog"):
        (tmp_path / "photos" / category).mkdir(parents=True)
        Image.new("RGB", (50, 40), "orange").save(tmp_path / "photos" / category / "a.jpg")
    result = call(*small(*UNTRAINED, "--photos", "photos", "--size", "32", "-o", "epsilon=0.3"))
    assert result.exit_code == 0, result.output
    assert "2 photographs" in result.output
    assert "2 categories at 32 × 32 px" in result.output
    assert "epsilon 0.3" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--profile", "min"), "Did you mean 'mini'"),
        (("--set", "CNNs"), "Did you mean 'CNN'"),
        (("--set", "mine=resnet17"), "Did you mean 'resnet18"),
        (("--set", "mine=vgg19", "--set", "CNN"), "NAME=KEY,KEY"),
        (("--stage", "lat"), "Did you mean 'late'"),
        (("--stage", "1.5"), "depth"),
        (("--photos", "/does/not/exist"), "not a folder"),
        (("--n-per-class", "0"), "greater than or equal to 1"),
        (("--evaluator", "resnet17"), "resnet17"),
        (("--criterion", "labels"), "Did you mean 'label'"),
        (("-o", "epsilon"), "KEY=VALUE"),
        (("-o", "epsilom=1"), "Did you mean 'epsilon'"),
        (("-o", "optimizer=Adm"), "Adm"),
        (("--device", "tpu"), "tpu"),
        (("--scheduler", "somewhere"), "such as 'tcp://10.0.0.5:8786'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_in_run_is_one_line_and_exit_code_2(call, arguments, words):
    result = call("run", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.startswith("metamerlib: ")
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("zoo", "show", "resnet17"),
        ("zoo", "list", "--zoo", "maxi"),
        ("layers", "vgg1"),
        ("train", "resnet17"),
        ("stimuli", "sheet", "--size", "3"),
        ("stimuli", "sheet", "--photos", "nowhere"),
        ("book", "-p", "stages"),
    ],
    ids=" ".join,
)
def test_a_mistake_elsewhere_is_one_line_and_exit_code_2(call, arguments):
    result = call(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("metamerlib: ")


def test_a_store_that_cannot_be_written_is_said(call, tmp_path):
    (tmp_path / "file").write_text("")
    result = call(*small(*UNTRAINED, "--store", "file"))
    assert result.exit_code == 2
    assert "is not a folder" in result.stderr


def test_plan_counts_what_run_would_compute_and_finds_it_afterwards(call, tmp_path):
    study = ("--profile", "smoke", "--repetitions", "1", "--stage", "early", *UNTRAINED, "-o", "mixed_sets=1")
    planned = call("plan", *study, "--no-probe", "--csv", "out/plan.csv")
    assert planned.exit_code == 0, planned.output
    assert re.search(r"metamers +mine +early +2 +0 +16 ", planned.output)  # 4 images × 2 steps × 2 networks
    assert re.search(r"metamerlib run: 3 results, 0 of them in the store; 16 updates", planned.output)
    assert pd.read_csv(tmp_path / "out" / "plan.csv")["updates"][0] == 16
    assert not (tmp_path / "store").exists()
    call("run", *study)
    assert "metamerlib run: 3 results, 3 of them in the store" in call("plan", *study, "--no-probe").output


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize(
    ("flag", "value", "name", "other"),
    [
        ("--preset", "fast", "preset", "paper"),
        ("--set", "CNN", "model_sets", "[vgg19]"),
        ("--stage", "late", "stages", "[early]"),
        ("--photos", ".", "root", "elsewhere"),
        ("--size", "64", "size", "32"),
        ("--n-per-class", "1", "n_per_class", "2"),
        ("--seed", "0", "seed", "7"),
        ("--repetitions", "1", "repetitions", "2"),
        ("--steps-per-model", "1", "steps_per_model", "2"),
        ("--evaluator", "vgg19", "evaluators", "[alexnet]"),
        ("--criterion", "label", "criterion", "reference"),
        ("--device", "cpu", "device", "cuda"),
    ],
)
def test_a_setting_by_option_is_kept_and_one_by_both_is_refused(call, monkeypatch, command, flag, value, name, other):
    seen = {}

    def stop(profile, **settings):
        seen.update(settings)
        raise ValueError("seen")

    monkeypatch.setattr("metamerbook.study.settings.StudySettings.from_profile", stop)
    assert call(command, "-o", f"{name}={other}").stderr == "metamerlib: seen\n"
    assert str(seen[name]).replace("'", "") == other
    call(command, flag, value)
    assert str(seen[name]).strip("[']") == value
    both = call(command, flag, value, "-o", f"{name}={other}").stderr
    assert f"{flag} gives {name} as" in both
    assert "give it once" in both


def test_settings_by_option_are_read_as_yaml_1_2(call, monkeypatch):
    seen = {}
    monkeypatch.setattr(
        "metamerbook.study.settings.StudySettings.from_profile", lambda profile, **settings: seen.update(settings)
    )
    call("run", "-o", "learning_rate=1e-2", "-o", "categories=[yes, no]", "-o", "compile=true")
    assert (seen["learning_rate"], seen["categories"], seen["compile"]) == (0.01, ["yes", "no"], True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "-o", "stages=[late"),
        ("run", "-o", "seed={a: 1, a: 2}"),
        ("run", "-o", "seed=1", "-o", "seed=2"),
        ("run", "-o", "profile=smoke"),
        ("book", "-p", "stages=[late"),
        ("run", "--profile", "broken.yml"),
        ("run", "--profile", "latin.yml"),
    ],
    ids=" ".join,
)
def test_text_that_is_no_yaml_is_one_line(call, tmp_path, arguments):
    (tmp_path / "broken.yml").write_text("stages: [late")
    (tmp_path / "latin.yml").write_bytes("zoo: mini  # größer".encode("latin-1"))
    result = call(*arguments)
    assert (result.exit_code, result.stderr.startswith("metamerlib: "), result.stderr.count("\n")) == (2, True, 1)
    assert arguments[-1].partition("=")[0] in result.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
def test_no_code_page_ends_a_finished_run(tmp_path, monkeypatch, encoding):
    monkeypatch.setenv("METAMERLIB_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("METAMERLIB_PROGRESS", "0")
    arguments = [*small(*UNTRAINED, "--evaluator", "resnet50_random"), "--csv", str(tmp_path / "t.csv")]
    monkeypatch.setattr(sys, "argv", ["metamerlib", *arguments])
    terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    terminal.flush()
    assert b"Residuals" in terminal.buffer.getvalue()
    assert len(pd.read_csv(tmp_path / "t.csv")) == 2


def test_plan_needs_no_photographs_and_names_mistakes(call):
    assert "--photos" in call("plan", "--help").output
    for arguments, words in (
        (("--profile", "min"), "Did you mean 'mini'"),
        (("--set", "CNNs"), "Did you mean 'CNN'"),
        (("--seconds", "0"), "seconds is 0.0"),
    ):
        result = call("plan", *arguments)
        assert (result.exit_code, words in result.stderr) == (2, True), result.output


def test_the_traceback_is_there_for_those_who_want_it(call, monkeypatch):
    monkeypatch.setenv("METAMERLIB_DEBUG", "1")
    assert isinstance(call("run", "--set", "CNNs").exception, ValueError)


def test_zoo_list_names_all_31(call):
    result = call("zoo", "list")
    assert result.exit_code == 0
    keys = [line.split()[0] for line in result.output.splitlines()[1:32]]
    assert len(set(keys)) == 31
    assert {"alexnet", "densenet121"} <= set(keys)


def test_zoo_show_tells_what_is_known(call):
    result = call("zoo", "show", "resnet18_robust")
    assert result.exit_code == 0
    assert re.search(r"robust +True", result.output)
    assert re.search(r"paper parameters +11689512", result.output)
    assert re.search(r"model sets +Robust CNNs", result.output)


def test_layers_numbers_the_blocks_and_marks_the_stages(call):
    lines = call("layers", "resnet18").output.splitlines()
    assert [line.split()[0] for line in lines] == [str(n) for n in range(1, len(lines) + 1)]
    marked = [(line.split()[0], line.split()[-2]) for line in lines if line.endswith("%)")]
    assert marked == [("2", "early"), ("5", "middle"), ("8", "late")]
    modules = call("layers", "resnet18", "--modules").output.splitlines()
    assert len(modules) > len(lines)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "seed="], "-o seed= has no value"),
        (["--set", "a=vgg19", "--set", "a=resnet18"], "--set gives 'a' twice"),
        (["--set", "\u00e9=vgg19", "--set", "e\u0301=resnet18"], "--set gives '\u00e9' twice"),
    ],
)
def test_an_option_that_would_silently_lose_is_refused(call, arguments, words):
    result = call("plan", "--profile", "smoke", "--no-probe", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_sheet_has_a_row_per_category(call, tmp_path):
    result = call("stimuli", "sheet", "--out", "sheets/s.png", "--n-per-class", "2", "--size", "32")
    assert result.exit_code == 0, result.output
    assert size_of(tmp_path / "sheets" / "s.png") == (2 * 34 + 2, len(CATEGORIES) * 34 + 2)
    assert "airplane, bear" in result.output


def test_a_home_folder_that_the_shell_left_as_it_is_is_found(call, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    study = "--profile", "smoke", "--stage", "early", *UNTRAINED, "--repetitions", "1"
    result = call("run", *study, "--csv=~/my table.csv", "--pictures=~/pictures", "--store=~/store")
    assert result.exit_code == 0, result.output
    call("stimuli", "sheet", "--out=~/sheet.png", "--n-per-class", "1", "--size", "32")
    found = {path.name for path in (tmp_path / "home").iterdir()}
    assert found >= {"my table.csv", "pictures", "store", "sheet.png"}
    assert not (tmp_path / "~").exists()


def test_train_hands_its_arguments_on(call, monkeypatch):
    given = {}
    from metamerlib.models import training

    monkeypatch.setattr(training, "train_zoo", lambda keys, **options: given.update(keys=keys, **options))
    assert call("train", "resnet18", "vgg19", "--workers", "2", "--force").exit_code == 0
    assert (given["keys"], given["workers"], given["force"]) == (["resnet18", "vgg19"], 2, True)
    call("train")
    assert given["keys"] is None


def test_book_hands_its_arguments_on(call, monkeypatch):
    given = {}
    monkeypatch.setattr("metamerbook.build.build_book", lambda **options: given.update(options))
    assert call("book", "05", "--profile", "smoke", "--no-html", "-j", "2", "-p", 'stages=["late"]').exit_code == 0
    assert given == {
        "profile": "smoke", "chapters": ["05"], "force": False, "html": False, "parameters": {"stages": ["late"]},
        "jobs": 2,
    }  # fmt: skip


def test_the_installed_command_works(tmp_path):
    command = [sys.executable, "-c", "from metamerbook.cli import main; main()"]
    result = subprocess.run([*command, "run", "--set", "CNNs"], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "Did you mean 'CNN'" in result.stderr


def test_where_an_error_came_up_is_told_in_the_same_line(call, monkeypatch):
    def fail(*_, **__):
        error = RuntimeError("no memory")
        error.add_note("on worker tcp://10.0.0.5:1")
        raise error

    monkeypatch.setattr("metamerbook.study.study.Study.__init__", fail)
    assert call("run").stderr == "metamerlib: no memory (on worker tcp://10.0.0.5:1)\n"


def test_book_names_the_scheduler_to_its_chapters(call, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="needs the extra `book`")
    seen = []
    monkeypatch.setenv("METAMERLIB_SCHEDULER", "")
    monkeypatch.setattr("metamerbook.build.build_book", lambda **_: seen.append(os.environ.get("METAMERLIB_SCHEDULER")))
    with distributed.LocalCluster(
        n_workers=0, processes=False, protocol="tcp", dashboard_address="127.0.0.1:0"
    ) as threads:
        for arguments in ([], ["--scheduler", threads.scheduler_address]):
            result = call("book", *arguments)
            assert result.exit_code == 0, result.output
        assert seen == ["", threads.scheduler_address]
