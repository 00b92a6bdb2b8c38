"""The tour: drives the real main window through every tab on the demo and saves a picture of each.

Works without a screen (`QT_QPA_PLATFORM=offscreen`, chosen by itself where there is none).
"""

from __future__ import annotations

import argparse
import html
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from convviz_gui.engine.atomic import staged
from convviz_gui.engine.errors import EngineError, ProblemKind, problem_from

if TYPE_CHECKING:
    from convviz_gui.gui.main_window import MainWindow

INDEX = "index.html"
SIZE = (1440, 900)
PATIENCE = 300
"""Seconds without any progress; numba's first compilation for UMAP alone takes half a minute on a slow machine."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the tour: what to do in the window, and what the picture then shows."""

    name: str
    caption: str
    act: Callable[[MainWindow], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tour; returns 0 done, 2 the user's mistake, 1 our bug, 130 stopped."""
    parser = argparse.ArgumentParser(prog="convviz tour", description=__doc__)
    parser.add_argument("--out", metavar="DIR", required=True, type=Path)
    out: Path = parser.parse_args(argv).out
    from convviz_gui.app import has_display

    if not has_display(os.environ, sys.platform):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    _on_signals(_interrupt)
    try:
        n_pictures = run(out)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the boundary where exceptions become text
        problem = problem_from(error)
        print(f"convviz: {problem}", file=sys.stderr)
        if problem.kind is not ProblemKind.BUG:
            return 2
        print(problem.detail, file=sys.stderr)
        return 1
    print(f"Wrote {n_pictures} pictures and {INDEX} to {out}")
    return 0


def _on_signals(handler: Callable[[int, object], object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def run(out: Path) -> int:
    """Take the tour and write its pictures and the page into `out`; returns the number of pictures.

    Raises `EngineError` if the folder cannot be written or a stop does not come to its end, `KeyboardInterrupt` if the
    window is closed on the way.
    """
    with staged(out, INDEX) as staging, _window() as window:
        stops = _stops()
        for number, stop in enumerate(stops, 1):
            print(f"{number} of {len(stops)}: {stop.caption}", flush=True)
            stop.act(window)
            _save(window, staging / f"{number:02}-{stop.name}.png")
            _close_dialog()
        (staging / INDEX).write_text(_page(stops), encoding="utf-8")
    return len(stops)


@contextmanager
def _window() -> Iterator[MainWindow]:
    from PySide6.QtCore import QTimer, qInstallMessageHandler

    from convviz_gui.app import collect_garbage_here, make_application
    from convviz_gui.gui.look.theme import Theme, apply_theme
    from convviz_gui.gui.main_window import MainWindow
    from convviz_gui.gui.network.recent_models import RecentModels
    from convviz_gui.gui.window.window_state import WindowState
    from convviz_gui.worker.client import EngineClient

    with tempfile.TemporaryDirectory(prefix="convviz-tour-") as folder:
        # Settings of its own: the user's arrangement neither shows in the pictures nor is changed by them.
        qInstallMessageHandler(_pass_on)
        app = make_application()
        apply_theme(app, Theme.LIGHT)
        settings, recent = WindowState(Path(folder) / "tour.ini"), RecentModels(Path(folder) / "recent.json")
        window = MainWindow(EngineClient(), settings, recent)
        collector = collect_garbage_here(window)
        window.resize(*SIZE)
        window.show()
        window.begin()
        # An exception raised in the middle of Qt's events would be lost.
        # Nor may a window be closed in the middle of its painting, where a signal may well arrive.
        _on_signals(lambda *_: QTimer.singleShot(0, window.close))
        try:
            yield window
        finally:
            collector.stop()
            _on_signals(signal.SIG_IGN)
            window.close()
            window.deleteLater()


def _pass_on(_kind: object, _where: object, text: str) -> None:
    # What the offscreen platform says of itself, whatever the program does.
    if not text.startswith("This plugin does not support"):
        print(text, file=sys.stderr)


# ------------------------------------------------------------------------------------------------------- the stops


def _stops() -> list[Stop]:
    return [
        Stop("activations", "Every channel of a layer, answering to the photo", _activations(0)),
        Stop("activations-deep", "Deeper layers: parts and things, and more silence", _activations(-1)),
        Stop("filters", "What each channel looks for, grown from noise", _filters),
        Stop("class-map", "Why a cat? Grad-CAM on the photo", _class_map(None)),
        Stop("class-map-other", "What would speak for a dog", _class_map(1)),
        Stop("film-strip", "How the evidence for the class gathers, stage by stage", _method("film-strip")),
        Stop("pixel-map", "The same question, pixel by pixel", _method("guided-grad-cam")),
        Stop("believe", "Can the map be believed? Deletion, insertion and shuffled weights say", _check),
        Stop("switch-off", "What the network says without a channel", _method("switch-off")),
        Stop("patches", "The pieces of 600 pictures that each channel answers to most", _patches),
        Stop("unit-page", "Everything about one channel", _unit_page),
        Stop("compare", "Two maps on one scale, linked", _compare),
        Stop("latent-pca", "600 pictures as the network sorts them: PCA", _latent("pca")),
        Stop("latent-umap", "The same in UMAP, with an outlier and its true neighbours", _latent("umap")),
        Stop("desk", "What may be wrong with the data: likeliest wrong labels first, reviewed by keyboard", _desk),
        Stop("transfer", "Which layer tells the labels best, beside raw pixels and the commonest label", _transfer),
        Stop("browser", "Another network: every one of torchvision and timm, a weights file, your own code", _browser),
        Stop("input", "What the model saw: the crop on the photo, and the tensor made of it", _input),
        Stop("dark", "The dark theme", _dark),
    ]


def _activations(place: int) -> Callable[[MainWindow], None]:
    def act(window: MainWindow) -> None:
        window.tabs.show("activations")
        _wait(window, lambda: window.selection.model is not None and window.selection.image is not None)
        layer = _relu(window, place)
        window.selection.set_layer(layer)
        _wait_for_result(window, "activations", layer)
        _wait(window, lambda: window.selection.overview is not None)
        result = window.tabs.tabs["activations"].result
        assert result is not None
        window.selection.set_channel(int(result.payload.max.argmax()))  # type: ignore[union-attr]

    return act


def _relu(window: MainWindow, place: int) -> str:
    model = window.selection.model
    assert model is not None
    return [node.id for node in model.layers() if node.kind == "ReLU"][place]


def _filters(window: MainWindow) -> None:
    window.tabs.show("filters")
    layer = _relu(window, 4)
    window.selection.set_layer(layer)
    window.tabs.current.panel.target.channels.setText("first 16")
    window.tabs.current.run()
    _wait_for_result(window, "filters", layer)


def _class_map(class_index: int | None) -> Callable[[MainWindow], None]:
    def act(window: MainWindow) -> None:
        window.tabs.show("class map")
        window.selection.set_class(class_index)
        _wait_for_result(window, "class map")

    return act


def _method(name: str) -> Callable[[MainWindow], None]:
    def act(window: MainWindow) -> None:
        window.selection.set_class(None)
        window.tabs.show_method(name)
        _wait_for_result(window, window.tabs.current.spec.name)

    return act


def _check(window: MainWindow) -> None:
    _method("grad-cam")(window)
    tab = window.tabs.current
    tab.checker.check()
    _wait(window, lambda: tab.result is not None and tab.result.trust is not None)
    tab.panel.trust.why.setChecked(True)


def _patches(window: MainWindow) -> None:
    window.selection.set_layer(_relu(window, -3))
    _on_demo_folder(window, "patches")


def _unit_page(window: MainWindow) -> None:
    found = window.tabs.current.result
    assert found is not None
    strongest = found.payload.values[:, 0]  # type: ignore[union-attr]
    window.selection.set_channel(int(strongest.argmax()))
    _on_demo_folder(window, "unit")


def _on_demo_folder(window: MainWindow, method: str) -> None:
    window.tabs.show_method(method)
    tab = window.tabs.current
    if window.selection.folder is None:
        window.commands.open_demo_folder(tab.spec.name)
        _wait(window, lambda: tab.running)
    elif not tab.running:
        tab.run()
    _wait_for_result(window, tab.spec.name)


def _compare(window: MainWindow) -> None:
    for method in ("grad-cam", "layer-cam"):
        _method(method)(window)
        window.commands.compare_result()
    window.tabs.show("compare")


def _latent(projection: str) -> Callable[[MainWindow], None]:
    def act(window: MainWindow) -> None:
        window.tabs.show("latent space")
        tab = window.tabs.current
        if tab.panel.target.chosen_folder() is None:
            window.commands.open_demo_folder()
            _wait(window, lambda: tab.panel.target.chosen_folder() is not None)
        _wait(window, lambda: tab.panel.form is not None)
        assert tab.panel.form is not None
        tab.panel.form.set_settings((("projection", projection),))
        tab.run()
        _wait_for_result(window, "latent space")
        _point_at_the_strangest(window)

    return act


def _point_at_the_strangest(window: MainWindow) -> None:
    from convviz_gui.gui.views.latent import LatentView

    tab = window.tabs.current
    assert isinstance(tab.view, LatentView)
    assert tab.result is not None
    tab.view.bench.open(int(tab.result.payload.outlier.argmax()))  # type: ignore[union-attr]
    _wait(window, lambda: window.selection.overview is not None)


def _desk(window: MainWindow) -> None:
    from convviz_gui.gui.views.latent import LatentView

    view = window.tabs.current.view
    assert isinstance(view, LatentView)
    view.switch.show_page("Desk")
    _wait(window, lambda: view.bench.review.ready and view.desk.rows.rowCount() > 0)


def _transfer(window: MainWindow) -> None:
    _on_demo_folder(window, "transfer")


def _browser(window: MainWindow) -> None:
    dialog = window.commands.model.ask()
    # As on a screen of usual size: the one that is no screen is small.
    dialog.resize(SIZE[0] * 8 // 9, SIZE[1] * 8 // 9)
    dialog.library.search.setText("convnext tiny")
    _wait(window, dialog.open_button.isEnabled)


def _input(window: MainWindow) -> None:
    from convviz_gui.gui.photos import samples

    window.tabs.show("input")
    # One that is cropped: Toybox's pictures are as large as the network's input.
    before = window.selection.image
    window.tray.open_sample(samples.photograph("flower"))
    _wait(window, lambda: window.selection.image is not before)
    tab = window.tabs.current
    _wait(window, lambda: tab.result is not None and tab.result.run.image is window.selection.image)


def _dark(window: MainWindow) -> None:
    from PySide6.QtWidgets import QApplication

    from convviz_gui.gui.look.theme import Theme, apply_theme

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app, Theme.DARK)
    window.tabs.show("activations")
    layer = _relu(window, 2)
    window.selection.set_layer(layer)
    _wait_for_result(window, "activations", layer)


# --------------------------------------------------------------------------------------------------------- waiting


def _wait_for_result(window: MainWindow, tab_name: str, layer: str | None = None) -> None:
    tab = window.tabs.tabs[tab_name]

    def is_there() -> bool:
        if tab.running or tab.result is None:
            return False
        return layer is None or getattr(tab.result.payload, "layer", layer) == layer

    _wait(window, is_there)


def _wait(window: MainWindow, condition: Callable[[], bool]) -> None:
    """Let the window live until `condition` holds; a notice to the user ends the tour with its words."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop, seconds = QEventLoop(), 0.0
    timer = QTimer()
    timer.setInterval(20)

    def look() -> None:
        nonlocal seconds
        seconds += timer.interval() / 1000
        if not window.isVisible() or condition() or window.notices.isVisible() or seconds > PATIENCE:
            loop.quit()

    def start_over() -> None:
        nonlocal seconds
        seconds = 0.0

    timer.timeout.connect(look)
    window.client.progressed.connect(start_over)
    timer.start()
    loop.exec()
    timer.stop()
    window.client.progressed.disconnect(start_over)
    if not window.isVisible():
        raise KeyboardInterrupt
    if window.notices.isVisible():
        problem = window.notices.problems()[0]
        error = EngineError(problem.title, problem.hint, problem.kind)
        error.detail = problem.detail
        raise error
    if not condition():
        raise EngineError("The tour waited in vain", "Try it on a machine that is less busy", ProblemKind.RESOURCE)


def _save(window: MainWindow, path: Path) -> None:
    from PySide6.QtCore import QBuffer, QEventLoop, QTimer
    from PySide6.QtWidgets import QApplication

    # Thumbnails come from other threads, and a grid paints when its turn comes.
    loop = QEventLoop()
    QTimer.singleShot(700, loop.quit)
    loop.exec()
    buffer = QBuffer()
    shown = QApplication.activeModalWidget() or window
    shown.grab().save(buffer, "PNG")
    # Not by Qt, which would not say what is wrong with the disk.
    path.write_bytes(buffer.data().data())


def _close_dialog() -> None:
    from PySide6.QtWidgets import QApplication

    dialog = QApplication.activeModalWidget()
    if dialog is not None:
        dialog.close()


def _page(stops: Sequence[Stop]) -> str:
    figures = "\n".join(
        f'<figure><img src="{number:02}-{stop.name}.png" alt="{html.escape(stop.caption)}">'
        f"<figcaption>{html.escape(stop.caption)}</figcaption></figure>"
        for number, stop in enumerate(stops, 1)
    )
    return _PAGE.format(figures=figures)


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A tour of ConvViz</title>
<style>
body {{ font: 16px/1.5 system-ui; max-width: 1000px; margin: 2em auto; padding: 0 1em }}
img {{ width: 100% }}
figure {{ margin: 2em 0 }}
</style>
<h1>A tour of ConvViz</h1>
<p>The demo network, tab by tab.</p>
{figures}
</html>
"""


if __name__ == "__main__":
    sys.exit(main())
