"""Execute the chapters and build the book.

The last room but one: it runs `notebooks/NN_*.py`, keeps what came out, and has Jupyter Book make pages
of it. It needs the packages of the `book` extra (`pip install "metamerlib[book]"`).
"""

from metamerbook.build.chapters import ChapterError, ChapterRun, execute_chapters
from metamerbook.build.pages import BookError, build_book

__all__ = ["BookError", "ChapterError", "ChapterRun", "build_book", "execute_chapters"]
