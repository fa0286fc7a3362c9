"""Whatever is asked of the book, its chapters are executed or it is refused, naming what was given."""

from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_books import write_chapter

from junk import FIXED, JUNK, refused_clearly
from metamerbook.build import chapters, execute_chapters


@asynccontextmanager
async def no_kernel(*_):
    yield None


async def executed(chapter, _):
    return chapters.ChapterRun("01_tiny", chapter.path, 0, True)


@settings(max_examples=120, **FIXED)
@given(st.sampled_from(["profile", "chapters", "jobs", "parameters", "stages"]), JUNK)
def test_the_books_chapters(tmp_path, name, value):
    write_chapter(tmp_path)

    def execute(value):
        changes = {"parameters": {name: value}} if name == "stages" else {name: value}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(chapters, "_execute", executed)
            patch.setattr(chapters, "running_kernel", no_kernel)
            execute_chapters(**{"root": tmp_path} | changes)

    names = {"chapters": ("chapter",), "parameters": ("parameter",)}.get(name, (name,))
    refused_clearly(execute, value, *names)
