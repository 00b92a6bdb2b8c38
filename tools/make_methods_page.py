"""Write docs/methods.md and its pictures: ``python tools/make_methods_page.py`` (``--text`` leaves the pictures alone).

Texts are the methods' own, pictures are made by running them on the demo with the commands that stand below them. The
table of docs/ground-truth.md, if there is one, is put where it belongs. Takes about a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from convviz_gui.cli import main as convviz
from convviz_gui.engine.demo import toybox
from convviz_gui.engine.method import Need, methods
from convviz_gui.engine.payloads import ByteArray
from convviz_gui.engine.types import MethodInfo

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE, PICTURES, TRUTH = DOCS / "methods.md", DOCS / "pictures" / "methods", DOCS / "ground-truth.md"
MOST_BYTES = 60_000
SIDE, WIDEST = 256, 640
"""Pixels that one small picture is enlarged to, and that a sheet is shrunk to."""

CATEGORIES = (
    "input", "activations", "filters", "class maps", "pixel maps", "units", "switch off", "latent space",
)  # fmt: skip
"""As the tabs have them."""
OPTIONS: dict[str, tuple[str, ...]] = {
    "activations": ("--layer", "block2_relu1"),
    "filters": ("--layer", "block3_relu1", "--channels", "first 9"),
    "filters-fourier": ("--layer", "block4_relu1", "--channels", "first 4", "--steps", "128"),
    "filters-maco": (
        "--layer",
        "block4_relu1",
        "--channels",
        "first 4",
        "--steps",
        "48",
        "--size",
        "128",
        "--crops",
        "4",
    ),
    "unit": ("--layer", "block4_relu1", "--channel", "5", "--folder", "toybox"),
    "weights": ("--layer", "block1_conv1"),
    "ask": ("--layer", "block3_relu1", "--unit", "12,14"),
    "deconvnet": ("--layer", "block4_relu1", "--channel", "5"),
    "patches": ("--layer", "block4_relu1", "--channels", "first 6"),
    "switch-off": ("--layer", "block5_relu1", "--channel", "3"),
    "ablation": ("--layer", "block5_relu1", "--channels", "first 8"),
    "latent": ("--projection", "pca"),
    "occlusion": ("--patch", "16", "--stride", "4"),
}
"""What a method is asked on the demo, beside the photo or the folder."""
SHOWN = ("overlay", "heat")
"""The pictures of a map that stand side by side; of other results there is one."""
FOLDER = 60
"""Toybox pictures in the folder that methods go through."""
ON_SCREEN = ("overview", "switch-off", "ablation", "census")
"""What has numbers and tables only: shown as the window shows it."""
_CAT = (0, 3)
"""The class and the seed of the picture that the window opens with."""

_HEAD = """\
# The methods

What each method shows, when to take it, how to read it, how it misleads, and where it comes from. The same words stand
behind the ⓘ of the window. Pictures are made on the demo: a picture of a cat, or {n} pictures, of Toybox, and ToyNet.
`convviz run METHOD --help` lists the settings; what the files hold is in [cli.md](cli.md). Any two results can be put
beside each other on one scale: Compare in the window, `convviz compare` on the command line.

This page is written by `tools/make_methods_page.py`.
"""
_TRUTH_TITLE = "## Do the maps tell the truth?"
_NO_TRUTH = "<!-- The table of docs/ground-truth.md goes here. -->"


def infos() -> list[MethodInfo]:
    """All methods, in the order of the page."""
    found = [method.info() for method in methods().values()]
    return sorted(found, key=lambda info: (_place(info.category), info.title.lower()))


def _place(category: str) -> int:
    return CATEGORIES.index(category) if category in CATEGORIES else len(CATEGORIES)


def page() -> str:
    """The page as Markdown."""
    parts, category = [_HEAD.format(n=FOLDER), _contents()], ""
    for info in infos():
        if info.category != category:
            category = info.category
            parts.append(f"## {category[:1].upper()}{category[1:]}\n")
        parts.append(_section(info))
    truth = TRUTH.read_text(encoding="utf-8").strip() if TRUTH.is_file() else _NO_TRUTH
    # Its own title, if it has one, is this section's.
    lines = [line for line in truth.splitlines() if not line.startswith("# ")]
    parts += [_TRUTH_TITLE + "\n", "\n".join(lines).strip() + "\n"]
    return "\n".join(parts)


def _contents() -> str:
    rows = ["| | method | shows |", "|---|---|---|"]
    before = ""
    for info in infos():
        name = info.category if info.category != before else ""
        before = info.category
        rows.append(f"| {name} | [{info.title}](#{anchor(info)}) | {info.summary.replace('|', '/')} |")
    return "\n".join(rows) + "\n"


def anchor(info: MethodInfo) -> str:
    """The id of a method's section."""
    return f"method-{info.name}"


def _section(info: MethodInfo) -> str:
    picture = PICTURES / f"{info.name}.png"
    lines = [f'### <a id="{anchor(info)}"></a>{info.title}', "", info.summary, ""]
    if picture.is_file():
        lines += [f"![{info.title} on the demo](pictures/methods/{info.name}.png)", ""]
    lines += [f"`{' '.join(command(info))}`", ""]
    for title, text in (
        ("When to use it", info.when_to_use),
        ("How to read it", info.how_to_read),
        ("How it misleads", info.how_it_misleads),
        ("Reference", info.reference),
    ):
        lines += [f"**{title}.** {text}", ""] if text else []
    return "\n".join(lines)


def command(info: MethodInfo) -> list[str]:
    """The command that makes a method's picture, but for `--out`."""
    words = ["convviz", "run", info.name, "--model", "demo"]
    words += ["--image", "cat.png"] if Need.IMAGE in info.needs else []
    words += ["--folder", "toybox"] if Need.FOLDER in info.needs else []
    return words + [f'"{word}"' if " " in word else word for word in OPTIONS.get(info.name, ())]


# ------------------------------------------------------------------------------------------------- pictures


def make_pictures(names: list[str]) -> None:
    """Run the methods and write a picture of each."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        _draw_toybox(Path())
        for info in infos():
            if info.name in ON_SCREEN or (names and info.name not in names):
                continue
            words = [word.strip('"') for word in command(info)[1:]]
            with contextlib.redirect_stdout(io.StringIO()):
                code = convviz([*words, "--out", info.name])
            found = _found(Path(info.name)) if code == 0 else None
            print(f"{info.name}: {'no picture' if found is None else 'done'}", flush=True)
            if found is not None:
                (PICTURES / f"{info.name}.png").write_bytes(small_png(found))
        _on_screen([name for name in ON_SCREEN if not names or name in names], str(Path("toybox").absolute()))


def _draw_toybox(root: Path) -> None:
    label, seed = _CAT
    Image.fromarray(toybox.draw(label, np.random.default_rng((seed, label))).pixels).save(root / "cat.png")
    for i, sample in enumerate(toybox.samples(FOLDER, 12)):
        place = root / "toybox" / toybox.CLASSES[sample.label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(sample.pixels).save(place / f"{i:03}.png")


def _found(folder: Path) -> ByteArray | None:
    """The picture of a result: a map's on the photo and by itself, or else the first."""
    pairs = [folder / f"{name}.png" for name in SHOWN if (folder / f"{name}.png").is_file()]
    paths = pairs or sorted(folder.glob("*.png"))[:1]
    pictures = [_sized(Image.open(path).convert("RGB")) for path in paths]
    if not pictures:
        return None
    gap = np.full((pictures[0].shape[0], 8, 3), 255, np.uint8)
    row = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.concatenate(row, axis=1) if len({picture.shape for picture in pictures}) == 1 else pictures[0]


def _sized(picture: Image.Image) -> ByteArray:
    longest = max(picture.size)
    factor = SIDE / longest if longest < SIDE else min(1.0, WIDEST / longest)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    how = Image.Resampling.NEAREST if factor >= 1 else Image.Resampling.LANCZOS
    return np.asarray(picture.resize(size, how))


def small_png(pixels: ByteArray) -> bytes:
    """A PNG file of at most `MOST_BYTES`, with as many colours and pixels as fit."""
    picture = Image.fromarray(pixels)
    while True:
        for colours in (256, 128, 64):
            buffer = io.BytesIO()
            picture.quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
            if buffer.tell() <= MOST_BYTES:
                return buffer.getvalue()
        picture = picture.resize((picture.width * 4 // 5, picture.height * 4 // 5), Image.Resampling.LANCZOS)


def _on_screen(names: list[str], folder: str) -> None:
    """Pictures of what has no picture of its own, taken from the window."""
    if not names:
        return
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QWidget

    from convviz_gui import tour
    from convviz_gui.gui.main_window import MainWindow

    def taken(window: MainWindow, name: str) -> QWidget | None:
        """Go to a method, run it and return what shows its result."""
        if name == "overview":
            tour._wait(window, lambda: window.selection.overview is not None)
            view = window.tabs.tabs["activations"].view
            return getattr(view, "chart", None)
        window.selection.set_layer("block5_relu1")
        window.selection.set_channel(3)
        window.selection.set_folder(folder)
        window.tabs.show_method(name)
        tab = window.tabs.current
        if tab.panel.method is None or tab.panel.method.name != name:
            return None
        if not tab.panel.method.live:
            tab.panel.target.channels.setText("first 8")
            tab.run()
        tour._wait(window, lambda: tab.result is not None and tab.result.run.method == name and not tab.running)
        return tab.view

    with tour._window() as window:
        window.resize(1100, 640)
        tour._wait(window, lambda: window.tabs.current.result is not None)
        for name in names:
            shown = taken(window, name)
            if shown is not None:
                (PICTURES / f"{name}.png").write_bytes(small_png(_grabbed(shown)))
            print(f"{name}: {'no picture' if shown is None else 'done'}", flush=True)


def _grabbed(shown: object) -> ByteArray:
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtWidgets import QWidget

    from convviz_gui.gui.pictures.qimage import to_array

    assert isinstance(shown, QWidget)
    # Grids paint when their turn comes.
    loop = QEventLoop()
    QTimer.singleShot(500, loop.quit)
    loop.exec()
    return _sized(Image.fromarray(to_array(shown.grab().toImage())))


def main(argv: list[str]) -> None:
    """Write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", action="store_true", help="write the page alone")
    parser.add_argument("names", nargs="*", help="make the pictures of these methods only")
    options = parser.parse_args(argv)
    if not options.text:
        make_pictures(options.names)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main(sys.argv[1:])
