"""Every chapter's two files say the same, whatever their modification times."""

import json
import os
from pathlib import Path

import nbformat
import pytest
import yaml
from small_books import REPOSITORY, write_chapter

from metamerbook.build.pairing import main, paired_notebook, unpaired


def test_the_repositorys_chapters_are_paired():
    assert unpaired(REPOSITORY / "notebooks") == []


def test_every_chapter_is_in_the_table_of_contents():
    listed = {
        Path(entry["file"]).name
        for part in yaml.safe_load((REPOSITORY / "_toc.yml").read_text(encoding="utf8"))["parts"]
        for entry in part["chapters"]
    }
    assert {source.stem for source in (REPOSITORY / "notebooks").glob("*.py")} <= listed


def test_written_notebook_has_the_sources_cells_and_no_outputs(tmp_path):
    source = write_chapter(tmp_path, body='\n# %% tags=["hide-input"]\nprint(1)\n')
    notebook = nbformat.reads(paired_notebook(source), as_version=4)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        ("markdown", "# A chapter"),
        ("code", 'profile = "mini"\nstages = None'),
        ("code", "print(1)"),
    ]
    assert notebook.cells[2].metadata == {"tags": ["hide-input"]}
    assert [cell.get("outputs", []) for cell in notebook.cells] == [[], [], []]
    assert notebook.metadata.kernelspec.name == "python3"
    assert paired_notebook(source) == paired_notebook(source)


def test_check_finds_what_write_mends(tmp_path, capsys):
    source = write_chapter(tmp_path)
    folder = ["--folder", str(source.parent)]
    assert main(["--check", *folder]) == 1
    assert "01_tiny.py has no 01_tiny.ipynb" in capsys.readouterr().err
    assert main(["--write", *folder]) == 0
    assert main(["--check", *folder]) == 0

    write_chapter(tmp_path, body="\n# %%\nprint('new')\n")
    os.utime(source, (0, 0))  # as old as a file can be, and still the one that counts
    assert main(["--check", *folder]) == 1
    assert "01_tiny.ipynb is not what 01_tiny.py says" in capsys.readouterr().err
    assert main(["--write", *folder]) == 0
    assert "print('new')" in source.read_text(encoding="utf8")
    assert main(["--check", *folder]) == 0


@pytest.mark.parametrize("change", ["outputs", "source", "metadata"])
def test_check_sees_every_difference(tmp_path, change):
    source = write_chapter(tmp_path, body="\n# %%\nprint(1)\n")
    notebook = json.loads(paired_notebook(source))
    notebook["cells"][2][change] = {
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "1\n"}],
        "source": "print(2)",
        "metadata": {"tags": ["remove-cell"]},
    }[change]
    source.with_suffix(".ipynb").write_text(json.dumps(notebook))
    assert unpaired(source.parent) == ["01_tiny.ipynb is not what 01_tiny.py says."]


def test_notebook_without_source_is_named(tmp_path):
    source = write_chapter(tmp_path)
    main(["--write", "--folder", str(source.parent)])
    source.unlink()
    assert unpaired(source.parent) == ["01_tiny.ipynb has no 01_tiny.py beside it."]
