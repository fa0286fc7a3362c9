"""The checks of built pages find what they are for, and nothing else."""

import pytest
from links import dead_links

from metamerbook.build.pages import remote_assets


def book_of(folder, body, name="index.html"):
    (folder / name).write_text(f"<!doctype html><html><body>{body}</body></html>", encoding="utf8")
    return folder


@pytest.mark.parametrize(
    "body",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
        '<link rel="preconnect" href="https://fonts.example">',
        '<img src="http://example.org/x.png" alt="">',
        '<img srcset="a.png 1x, https://example.org/b.png 2x" alt="">',
        '<iframe src="https://example.org"></iframe>',
        '<video poster="https://example.org/p.png"></video>',
        '<svg><image href="https://example.org/x.png"/></svg>',
        "<style>@import 'https://fonts.example/x.css';</style>",
        '<div style="background: url(https://example.org/x.png)"></div>',
    ],
)
def test_loads_from_elsewhere_are_found(tmp_path, body):
    (found,) = remote_assets(book_of(tmp_path, body))
    assert found.startswith("index.html: ")


def test_a_style_sheets_loads_are_found(tmp_path):
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "x.css").write_text('@font-face { src: url("https://fonts.example/x.woff2") }')
    assert remote_assets(tmp_path) == ["_static/x.css: https://fonts.example/x.woff2"]


def test_links_and_local_loads_are_no_remote_assets(tmp_path):
    body = (
        '<a href="https://example.org">x</a><img src="x.png" alt=""><img src="data:image/png;base64,xx" alt="">'
        '<link rel="canonical" href="https://example.org"><p>url(https://example.org)</p><script>"//x"</script>'
    )
    assert remote_assets(book_of(tmp_path, body)) == []


def test_dead_links_are_found_and_living_ones_are_not(tmp_path):
    book_of(tmp_path, '<h2 id="here there">x</h2>', "other.html")
    body = (
        '<a href="other.html#here%20there">1</a><a href="#top">2</a><a href="missing.html">3</a><p id="top"></p>'
        '<a href="other.html#gone">4</a><img src="gone.png" alt=""><a href="https://example.org/x#y">5</a>'
        '<a href="mailto:a@b.c">6</a>'
    )
    assert dead_links(book_of(tmp_path, body)) == [
        "index.html: missing.html",
        "index.html: other.html#gone",
        "index.html: gone.png",
    ]
