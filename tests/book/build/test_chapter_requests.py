"""Whatever is asked of the book, its chapters are executed or it is refused, naming what was given."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_books import write_chapter

from junk import FIXED, JUNK, refused_clearly
from metamerbook.build import chapters, execute_chapters


@settings(max_examples=120, **FIXED)
@given(st.sampled_from(["profile", "chapters", "jobs", "parameters", "stages"]), JUNK)
def test_the_books_chapters(tmp_path, name, value):
    write_chapter(tmp_path)

    def execute(value):
        changes = {"parameters": {name: value}} if name == "stages" else {name: value}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                chapters, "_execute", lambda layout, source, *_, **__: chapters.ChapterRun("01_tiny", source, 0, True)
            )
            patch.setattr(chapters, "chapter_key", lambda *_: "key")
            execute_chapters(**{"root": tmp_path} | changes)

    names = {"chapters": ("chapter",), "parameters": ("parameter",)}.get(name, (name,))
    refused_clearly(execute, value, *names)
