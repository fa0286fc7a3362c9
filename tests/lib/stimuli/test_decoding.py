import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from metamerlib.stimuli.folders import UnreadablePhotographError, decode_photograph


def noise(height=48, width=64, seed=0):
    """A picture whose neighbouring pixels are alike, so that JPEG keeps it."""
    small = np.random.default_rng(seed).integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def difference(path, expected, size=16):
    return np.abs(decode_photograph(path, size).astype(float) - np.asarray(expected, dtype=float)).max()


@pytest.fixture
def truth():
    """What the noise picture looks like when it is read."""
    return noise().crop((8, 0, 56, 48)).resize((16, 16), Image.Resampling.BILINEAR)


@pytest.mark.parametrize(
    ("name", "options", "tolerance"),
    [
        ("a.png", {}, 0),
        ("a.webp", {"lossless": True}, 0),
        ("a.webp", {"quality": 95}, 12),
        ("a.jpg", {"quality": 95}, 6),
        ("a.JPEG", {"quality": 95, "progressive": True}, 6),
        ("wrong-suffix.jpg", {"format": "PNG"}, 0),
        ("no-suffix", {"format": "PNG"}, 0),
        ("phone.jpg", {"format": "MPO", "quality": 95}, 6),
    ],
)
def test_reads_jpeg_png_and_webp_by_content(tmp_path, truth, name, options, tolerance):
    noise().save(tmp_path / name, **options)
    assert difference(tmp_path / name, truth) <= tolerance


def test_returns_square_rgb_bytes(tmp_path):
    noise().save(tmp_path / "a.png")
    pixels = decode_photograph(tmp_path / "a.png", 10)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (10, 10, 3)


@pytest.mark.parametrize(("width", "height"), [(48, 32), (32, 48), (33, 32), (32, 33), (32, 32)])
def test_crop_is_the_centre_and_keeps_pixels_where_size_is_the_short_side(tmp_path, width, height):
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    top, left = (height - 32) // 2, (width - 32) // 2
    assert np.array_equal(decode_photograph(tmp_path / "a.png", 32), picture[top : top + 32, left : left + 32])


def test_resizing_averages_instead_of_skipping_pixels(tmp_path):
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255  # every pixel that a filter without antialiasing would meet could have one colour
    Image.fromarray(stripes).save(tmp_path / "a.png")
    inner = decode_photograph(tmp_path / "a.png", 8)[:, 1:-1]
    assert np.abs(inner.astype(float) - 127.5).max() < 5


def test_small_images_are_enlarged_within_their_range(tmp_path):
    checks = np.full((4, 4, 3), 50, np.uint8)
    checks[::2, ::2] = 200
    Image.fromarray(checks).save(tmp_path / "a.png")
    pixels = decode_photograph(tmp_path / "a.png", 32)
    assert pixels.min() == 50
    assert pixels.max() == 200


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_exif_orientation_is_undone(tmp_path, orientation, suffix):
    upright = noise(64, 64)
    # The transformations that the EXIF standard's eight orientations ask a viewer to undo.
    stored = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }[orientation]
    picture = upright
    for step in stored:
        picture = picture.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"jpg": {"quality": 95}, "png": {}, "webp": {"lossless": True}}[suffix]
    picture.save(tmp_path / f"a.{suffix}", exif=exif, **options)
    assert difference(tmp_path / f"a.{suffix}", upright.resize((16, 16), Image.Resampling.BILINEAR)) <= 6


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_grey_images_get_three_equal_channels(tmp_path, mode):
    noise().convert(mode).save(tmp_path / "a.png")
    expected = noise().convert(mode).convert("RGB").crop((8, 0, 56, 48)).resize((16, 16), Image.Resampling.BILINEAR)
    pixels = decode_photograph(tmp_path / "a.png", 16)
    assert np.array_equal(pixels[..., 0], pixels[..., 1])
    assert np.array_equal(pixels[..., 0], pixels[..., 2])
    assert difference(tmp_path / "a.png", expected) == 0


def test_sixteen_bit_grey_levels_are_scaled_not_clipped(tmp_path):
    levels = np.linspace(0, 65535, 32 * 32).round().astype(np.uint16).reshape(32, 32)
    Image.fromarray(levels).save(tmp_path / "a.png")
    pixels = decode_photograph(tmp_path / "a.png", 32)
    assert np.array_equal(pixels[..., 0], np.floor(levels / 257 + 0.5))


def test_sixteen_bit_colour_png(tmp_path):
    # Pillow does not write 16 bits per colour, so the file is put together here.
    import struct
    import zlib

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    row = b"\0" + struct.pack(">3H", 65535, 32768, 0) * 8
    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * 8)) + chunk(b"IEND", b"")
    )
    assert decode_photograph(tmp_path / "a.png", 4).reshape(-1, 3).tolist() == [[255, 128, 0]] * 16


def test_palette_images_keep_their_colours(tmp_path):
    picture = Image.new("P", (16, 16), 1)
    picture.putpalette([0, 0, 0, 200, 30, 60])
    picture.save(tmp_path / "a.png")
    assert decode_photograph(tmp_path / "a.png", 4).reshape(-1, 3).tolist() == [[200, 30, 60]] * 16


def test_transparency_shows_white(tmp_path):
    half = Image.new("RGBA", (16, 16), (100, 0, 0, 128))
    half.save(tmp_path / "half.png")
    assert np.abs(decode_photograph(tmp_path / "half.png", 1)[0, 0] - [177.0, 127.0, 127.0]).max() <= 1
    Image.new("RGBA", (16, 16), (100, 0, 0, 0)).save(tmp_path / "none.webp", lossless=True)
    assert (decode_photograph(tmp_path / "none.webp", 4) == 255).all()
    palette = Image.new("P", (16, 16), 1)
    palette.putpalette([0, 0, 0, 200, 30, 60])
    palette.save(tmp_path / "palette.png", transparency=1)
    assert (decode_photograph(tmp_path / "palette.png", 4) == 255).all()
    Image.new("RGB", (16, 16), (1, 2, 3)).save(tmp_path / "keyed.png", transparency=(1, 2, 3))
    assert (decode_photograph(tmp_path / "keyed.png", 4) == 255).all()


def png(depth, colour, rows, transparent):
    """Write a PNG of one value or colour per pixel, one of which is transparent."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    lines = []
    for row in rows:
        bits = "".join(f"{value:0{depth}b}" for pixel in row for value in np.atleast_1d(pixel))
        lines.append(b"\0" + int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big"))
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), depth, colour, 0, 0, 0)
    chunks = {b"IHDR": header, b"tRNS": struct.pack(f">{len(transparent)}H", *transparent)}
    chunks |= {b"IDAT": zlib.compress(b"".join(lines)), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks.items())


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("share", [0, 1 / 3, 1])
def test_transparent_grey_shows_white_at_every_depth(tmp_path, depth, share):
    levels = [0, round(share * (2**depth - 1))] if share else [2**depth - 1, 0]
    seen, transparent = levels
    (tmp_path / "a.png").write_bytes(png(depth, 0, [[seen, transparent], [transparent, seen]], (transparent,)))
    expected = round(seen / (2**depth - 1) * 255) if transparent != seen else 255
    assert decode_photograph(tmp_path / "a.png", 2)[:, :, 0].tolist() == [[expected, 255], [255, expected]]


def test_a_transparent_colour_of_sixteen_bits_shows_white(tmp_path):
    colour = (4660, 1, 65535)
    (tmp_path / "a.png").write_bytes(png(16, 2, [[colour, (0, 0, 0)], [(0, 0, 0), colour]], colour))
    assert decode_photograph(tmp_path / "a.png", 2)[:, :, 1].tolist() == [[255, 0], [0, 255]]


def test_cmyk_jpeg_has_the_colours_of_its_inks(tmp_path):
    inks = {
        "cyan": ((255, 0, 0, 0), (0, 255, 255)),
        "paper": ((0, 0, 0, 0), (255,) * 3),
        "black": ((0, 0, 0, 255), (0,) * 3),
    }
    for name, (amounts, colour) in inks.items():
        Image.new("CMYK", (16, 16), amounts).save(tmp_path / f"{name}.jpg", quality=95)
        assert difference(tmp_path / f"{name}.jpg", np.tile(colour, (4, 4, 1)), size=4) <= 3, name


def test_animations_give_their_first_frame(tmp_path):
    first, second = Image.new("RGB", (16, 16), (255, 0, 0)), Image.new("RGB", (16, 16), (0, 0, 255))
    first.save(tmp_path / "a.webp", save_all=True, append_images=[second], lossless=True)
    assert decode_photograph(tmp_path / "a.webp", 1).tolist() == [[[255, 0, 0]]]


def test_large_photographs_are_read_without_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 16 * 10)  # of which Pillow warns, and refuses twice as many
    Image.new("RGB", (16, 16), (9, 8, 7)).save(tmp_path / "a.png")
    assert decode_photograph(tmp_path / "a.png", 1).tolist() == [[[9, 8, 7]]]


def test_decompression_bombs_are_refused_with_the_limit(tmp_path):
    Image.new("1", (14_000, 14_000)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 100_000
    with pytest.raises(UnreadablePhotographError, match=r"too large.*196000000.*178956970.*MAX_IMAGE_PIXELS"):
        decode_photograph(tmp_path / "bomb.png", 64)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9])
def test_truncated_files_are_refused(tmp_path, suffix, kept):
    noise(256, 256).save(tmp_path / f"a.{suffix}")
    content = (tmp_path / f"a.{suffix}").read_bytes()
    (tmp_path / f"a.{suffix}").write_bytes(content[: int(kept * len(content))])
    with pytest.raises(UnreadablePhotographError, match=r"truncated|Truncated|damaged|not a"):
        decode_photograph(tmp_path / f"a.{suffix}", 16)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"<!doctype html><title>404</title>", "not a JPEG, PNG or WebP image"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "not a JPEG, PNG or WebP image"),
        (b"\xff\xd8\xff\xe0" + bytes(200), "not a|damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "not a|damaged"),
    ],
)
def test_other_content_is_refused_in_words(tmp_path, content, reason):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UnreadablePhotographError, match=reason):
        decode_photograph(tmp_path / "a.jpg", 16)


def test_missing_files_are_refused_in_words(tmp_path):
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")
    with pytest.raises(UnreadablePhotographError, match="No such file"):
        decode_photograph(tmp_path / "dangling.jpg", 16)


def test_damaged_bytes_never_escape_as_another_error(tmp_path):
    generator = np.random.default_rng(0)
    outcomes = set()
    for suffix in ("jpg", "png", "webp"):
        noise().save(tmp_path / f"a.{suffix}")
        whole = np.frombuffer((tmp_path / f"a.{suffix}").read_bytes(), np.uint8)
        for _ in range(150):
            damaged = whole.copy()
            damaged[generator.integers(0, len(damaged), 8)] = generator.integers(0, 256, 8)
            (tmp_path / "damaged").write_bytes(damaged.tobytes())
            try:
                outcomes.add(decode_photograph(tmp_path / "damaged", 8).shape)
            except UnreadablePhotographError:
                outcomes.add("refused")
    assert outcomes == {(8, 8, 3), "refused"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UnreadablePhotographError, match="not a file"):
        decode_photograph(tmp_path / "pipe.png", 4)
