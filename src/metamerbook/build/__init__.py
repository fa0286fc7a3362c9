"""Execute the chapters and build the book (packages of the extra `book`)."""

from metamerbook.build.chapters import ChapterError, ChapterRun, execute_chapters
from metamerbook.build.pages import BookError, build_book

__all__ = ["BookError", "ChapterError", "ChapterRun", "build_book", "execute_chapters"]
