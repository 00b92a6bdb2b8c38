"""Canvases, views, objectives and optimisers of Fourier mode and MACO against numpy, closed forms and torch's own."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from convviz_gui.engine.datasets import list_folder
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.optim.adam import Adam, NAdam
from convviz_gui.engine.optim.colours import LUCID, MACO
from convviz_gui.engine.optim.objectives import ClassLogit, Direction, Energy, UnitValue, likeness
from convviz_gui.engine.optim.probe import Probe
from convviz_gui.engine.optim.spectral import FourierCanvas, PhaseCanvas, normal
from convviz_gui.engine.optim.synthesis import Aim, Synthesis
from convviz_gui.engine.optim.views import Crops, Moved, Plain, turned
from convviz_gui.engine.spectrum import Spectrum, built_in, folder_spectrum, frequencies
from tests.engine.tiny import noise_picture

# ------------------------------------------------------------------------------------------------- Fourier canvas


def lucid_in_numpy(spectrum: np.ndarray) -> np.ndarray:
    """Lucid's `fft_image` and `to_valid_rgb`, read from its source: spectrum [2, 3, h, w'] → picture [h, w, 3]."""
    h, w = spectrum.shape[2], 2 * (spectrum.shape[3] - 1)
    fy = np.fft.fftfreq(h)[:, None]
    fx = np.fft.fftfreq(w)[: w // 2 + 1]
    freqs = np.sqrt(fx * fx + fy * fy)
    scale = np.sqrt(w * h) / np.maximum(freqs, 1.0 / max(w, h))
    t = np.fft.irfft2((spectrum[0] + 1j * spectrum[1]) * scale).transpose(1, 2, 0) / 4.0
    svd_sqrt = np.asarray([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
    t = t.reshape(-1, 3) @ (svd_sqrt / np.max(np.linalg.norm(svd_sqrt, axis=0))).T
    return (1 / (1 + np.exp(-t))).reshape(h, w, 3)


def test_the_fourier_canvas_is_lucids() -> None:
    canvas = FourierCanvas.start(3, [(7, 0), (2, 1)], 3, 40)
    assert canvas.leaf.shape == (2, 3, 40, 21, 2)
    assert canvas.leaf.std().item() == pytest.approx(0.01, rel=0.03)
    leaf = canvas.leaf * 30
    pixels = canvas.pixels(leaf)
    for i in range(2):
        wanted = lucid_in_numpy(leaf[i].permute(3, 0, 1, 2).double().numpy())
        assert np.ptp(wanted) > 0.3
        np.testing.assert_allclose(pixels[i].permute(1, 2, 0).numpy(), wanted, atol=1e-4)


def test_its_spectrum_falls_with_frequency_as_parseval_says() -> None:
    size = 64
    canvas = FourierCanvas.start(0, [(i, 0) for i in range(20)], 1, size)
    contrast = canvas.contrast(canvas.leaf).double().numpy()
    found = np.abs(np.fft.rfft2(contrast)) ** 2
    scale = size / np.maximum(frequencies(size), 1 / size) / 4
    inside = slice(1, size // 2)  # in the first and last column pairs of coefficients are averaged
    ratio = found[:, 0, :, inside].mean(0) / (2 * 0.01**2 * scale**2)[:, inside]
    assert ratio.mean() == pytest.approx(1, rel=0.05)
    coarse, fine = frequencies(size)[:, inside] < 0.1, frequencies(size)[:, inside] > 0.4
    assert ratio[coarse].mean() == pytest.approx(ratio[fine].mean(), rel=0.1)
    # Parseval: the energy of the picture is that of its coefficients, the half that rfft2 leaves out counted twice.
    twice = np.full(size // 2 + 1, 2.0)
    twice[[0, -1]] = 1
    np.testing.assert_allclose((contrast**2).sum((1, 2, 3)), (found * twice).sum((1, 2, 3)) / size**2, rtol=1e-6)


def test_colours_are_decorrelated_and_normalised() -> None:
    assert np.linalg.norm(LUCID, axis=0).max() == pytest.approx(1)
    assert LUCID[2, 1] == pytest.approx(-0.09 / np.sqrt(0.26**2 + 0.27**2 + 0.27**2))
    assert MACO[0].tolist() == pytest.approx([0.56282854, 0.58447580, 0.58447580])
    assert np.linalg.norm(MACO[0]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("n_colours", [1, 2, 3])
def test_every_pixel_pulls_at_the_coefficients(n_colours: int) -> None:
    leaf = FourierCanvas.start(0, [(0, 0)], n_colours, 17).leaf.requires_grad_(True)
    pixels = FourierCanvas(leaf.detach(), 17).pixels(leaf)
    assert pixels.shape == (1, n_colours, 17, 17)
    assert 0 <= pixels.min().item() <= pixels.max().item() <= 1
    for y, x in ((0, 0), (8, 3), (16, 16)):
        (gradient,) = torch.autograd.grad(pixels[0, :, y, x].sum(), leaf, retain_graph=True)
        assert (gradient[..., 0] != 0).float().mean() > 0.9


def test_a_start_depends_on_seed_number_and_variant_alone() -> None:
    first = normal(1, 2, 3, (50, 50))
    np.testing.assert_array_equal(first, normal(1, 2, 3, (50, 50)))
    for other in ((0, 2, 3), (1, 0, 3), (1, 2, 0), (-1, 2, 3)):
        assert abs(np.corrcoef(first.ravel(), normal(*other, (50, 50)).ravel())[0, 1]) < 0.1


# ---------------------------------------------------------------------------------------------------- MACO's canvas


def test_maco_changes_phases_and_never_magnitudes() -> None:
    size = 32
    magnitude = np.random.default_rng(0).uniform(1, 2, (3, size, size // 2 + 1)).astype(np.float32)
    canvas = PhaseCanvas.start(0, [(4, 0)], magnitude)
    inside = slice(1, size // 2)  # irfft2 itself averages pairs of coefficients in the first and last column
    for leaf in (canvas.leaf, canvas.leaf * 3 + 1, torch.randn(canvas.leaf.shape)):
        found = np.abs(np.fft.rfft2(canvas.components(leaf)[0].double().numpy()))[:, :, inside]
        ratio = found / magnitude[:, :, inside]
        np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-3)


def maco_in_numpy(phase: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    phase = (phase - phase.mean()) / (phase.std() + 1e-5)
    image = np.fft.irfft2(magnitude * np.exp(1j * phase)).transpose(1, 2, 0)
    image = (image - image.mean()) / (image.std() + 1e-5)
    return 1 / (1 + np.exp(-(image.reshape(-1, 3) @ MACO.astype(float)).reshape(image.shape)))


def test_the_phase_canvas_is_the_papers() -> None:
    magnitude = np.random.default_rng(1).uniform(0, 5, (3, 24, 13)).astype(np.float32)
    canvas = PhaseCanvas.start(9, [(0, 0), (1, 0)], magnitude)
    assert abs(float(canvas.leaf.std()) - 1) < 0.05
    pixels = canvas.pixels(canvas.leaf)
    for i in range(2):
        wanted = maco_in_numpy(canvas.leaf[i].double().numpy(), magnitude)
        np.testing.assert_allclose(pixels[i].permute(1, 2, 0).numpy(), wanted, atol=1e-4)


@pytest.mark.parametrize("grey", [False, True])
def test_a_folders_spectrum_is_numpys(tmp_path: Path, grey: bool) -> None:
    for seed, (height, width) in enumerate(((24, 24), (24, 24), (24, 24))):
        Image.fromarray(noise_picture(height, width, seed).pixels).save(tmp_path / f"{seed}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    mixing = np.eye(1) if grey else MACO.astype(float)
    found = drive(folder_spectrum(list_folder(tmp_path), 24, np.linalg.inv(mixing).astype(np.float32)))
    pictures = [Image.open(tmp_path / f"{seed}.png").convert("L" if grey else "RGB") for seed in range(3)]
    values = [np.asarray(picture, float).reshape(24, 24, -1) / 255 - 0.5 for picture in pictures]
    components = [np.linalg.solve(mixing.T, value.reshape(-1, len(mixing)).T).reshape(-1, 24, 24) for value in values]
    wanted = np.mean([np.abs(np.fft.rfft2(component)) for component in components], axis=0)
    np.testing.assert_allclose(found.magnitude, wanted, rtol=1e-4, atol=1e-3)
    assert found.n_pictures == 3
    assert found.words == "mean of 3 of 4 pictures of the folder"
    assert [Path(item.path).name for item in found.skipped] == ["broken.png"]


def test_a_folder_of_which_nothing_can_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(EngineError, match="None of the 1 pictures could be read") as caught:
        drive(folder_spectrum(list_folder(tmp_path), 24, np.eye(3, dtype=np.float32)))
    assert "built-in" in caught.value.hint


def drive(steps: object) -> Spectrum:
    while True:
        try:
            next(steps)  # type: ignore[call-overload]
        except StopIteration as stop:
            return stop.value


def test_the_built_in_spectrum_is_one_over_f() -> None:
    spectrum = built_in(32, 2)
    assert spectrum.magnitude.shape == (2, 32, 17)
    assert spectrum.magnitude[0, 0, 4] == pytest.approx(2 * spectrum.magnitude[0, 0, 8])
    assert spectrum.magnitude[1, 3, 4] == pytest.approx(32 / 5)
    assert np.isfinite(spectrum.magnitude).all()
    assert spectrum.n_pictures == 0


# ------------------------------------------------------------------------------------------------------------ views


def test_movements_keep_sizes_ranges_and_repeat() -> None:
    pictures = torch.rand(2, 3, 64, 64)
    low, high = Moved.sides(64)
    assert (low, high) == (round(80 * 0.9) - 4, round(80 * 1.1) - 4)
    seen = []
    for step in range(60):
        (view,) = Moved(5).views(step)
        shown = view(pictures)
        assert shown.shape[2] == shown.shape[3]
        seen.append(shown.shape[2])
        assert 0 <= float(shown.min()) <= float(shown.max()) <= 1
        assert torch.equal(shown, Moved(5).views(step)[0](pictures))
        assert torch.equal(shown[1:], view(pictures[1:])), "the same in any company"
    assert set(seen) == {round(80 * (1 + (i - 5) / 50)) - 4 for i in range(11)}
    assert min(seen) == low
    assert max(seen) == high
    assert not torch.equal(Moved(5).views(0)[0](pictures), Moved(6).views(0)[0](pictures))
    assert Moved(5, (32, 40)).views(0)[0](pictures).shape == (2, 3, 32, 40)


def test_movements_stay_within_their_bounds() -> None:
    picture = torch.full((1, 1, 64, 64), 0.5)
    picture[0, 0, 28:36, 28:36] = 1.0
    for step in range(40):
        shown = Moved(0).views(step)[0](picture)[0, 0]
        weight = (shown - 0.5) / (shown - 0.5).sum()
        places = torch.arange(len(shown)) + 0.5
        for middle in ((weight.sum(1) * places).sum(), (weight.sum(0) * places).sum()):
            assert abs(float(middle) - len(shown) / 2) <= 1.1 * 4 + 2 + 0.5
        area = float((shown - 0.5).sum() / 0.5)
        assert 0.8**2 * 64 < area < 1.15**2 * 64


def test_turning_is_pillows() -> None:
    pixels = np.random.default_rng(0).random((9, 9)).astype(np.float32)
    smooth = np.asarray(Image.fromarray(pixels).resize((63, 63), Image.Resampling.BICUBIC))
    ours = turned(torch.from_numpy(smooth.copy())[None, None], 10)[0, 0].numpy()
    wanted = np.asarray(Image.fromarray(smooth).rotate(10, Image.Resampling.BILINEAR, fillcolor=0.5))
    inside = np.hypot(*np.meshgrid(*[np.arange(63) - 31] * 2)) < 29
    assert np.abs(ours - wanted)[inside].max() < 0.02
    assert np.abs(ours - smooth)[inside].max() > 0.2
    assert ours[0, 0] == pytest.approx(0.5)


def test_crops_shrink_around_the_middle() -> None:
    ramp = torch.linspace(0, 1, 257)[:-1] + 1 / 512
    picture = torch.stack([ramp[None].expand(256, -1), ramp[:, None].expand(-1, 256)])[None]
    looking = Crops(3, 400, (16, 16), 11, noise=0)
    for step, side in ((0, 0.5), (5, 0.275), (10, 0.05)):
        shown = torch.cat([view(picture) for view in looking.views(step)])
        assert shown.shape == (400, 2, 16, 16)
        inside = shown[((shown - 0.5).abs() < 0.49).flatten(1).all(1) & (shown != 0.5).flatten(1).all(1)]
        widths = (inside[:, 0, 8, 15] - inside[:, 0, 8, 0]) * 16 / 15
        assert widths.median().item() == pytest.approx(side, rel=0.02)
    middles = shown[:, :, 7:9, 7:9].mean((2, 3))
    assert middles.mean(0).tolist() == pytest.approx([0.5, 0.5], abs=0.03)
    assert middles.std(0).tolist() == pytest.approx([0.15, 0.15], rel=0.15)


def test_noise_on_crops_is_the_papers_and_repeats() -> None:
    grey = torch.full((2, 3, 64, 64), 0.5)
    (view, other) = Crops(1, 2, (64, 64), 10).views(4)
    noise = view(grey) - 0.5
    assert noise.std().item() == pytest.approx(np.sqrt(0.08**2 + 0.08**2 / 12), rel=0.02)
    assert torch.equal(noise[0], noise[1]), "the same for every picture"
    assert torch.equal(view(grey), Crops(1, 2, (64, 64), 10).views(4)[0](grey))
    assert not torch.equal(view(grey), other(grey))


# ------------------------------------------------------------------------------------------------------- objectives


def test_a_unit_is_where_it_is_asked_for() -> None:
    output = torch.arange(2 * 3 * 6 * 8, dtype=torch.float32).reshape(2, 3, 6, 8)
    assert UnitValue((2, 0))(output).tolist() == [output[0, 2, 3, 4], output[1, 0, 3, 4]]
    assert UnitValue((1, 1), (5.5 / 6, 0.5 / 8))(output)[1] == output[1, 1, 5, 0]
    assert UnitValue((1,))(output[:1, :, 0, 0]).item() == output[0, 1, 0, 0]


def test_a_direction_wants_length_and_angle() -> None:
    vector = torch.tensor([0.6, 0.8, 0.0])
    along = torch.zeros(3, 3, 2, 2)
    along[0] = 2 * vector.view(3, 1, 1)
    along[1, 2] = 5.0
    along[2] = vector.view(3, 1, 1) + torch.tensor([0.0, 0.0, 1.0]).view(3, 1, 1)
    # Along it: 2·1²; across it nothing; at 45°: 1·cos².
    assert Direction(vector)(along).tolist() == pytest.approx([2.0, 0.0, 0.5])
    zero = torch.zeros(1, 3, 2, 2, requires_grad=True)
    assert torch.autograd.grad(Direction(vector)(zero).sum(), zero)[0].isfinite().all()


def test_layer_and_class() -> None:
    output = torch.randn(2, 3, 4, 4)
    assert Energy()(output).tolist() == pytest.approx(output.square().mean((1, 2, 3)).tolist())
    logits = torch.randn(2, 5)
    assert ClassLogit((4, 1))(logits).tolist() == [logits[0, 4], logits[1, 1]]
    assert ClassLogit((0, 1))(logits[:, :1]).tolist() == [-logits[0, 0], logits[1, 0]]


def test_likeness_is_the_cosine_of_gram_matrices() -> None:
    maps = torch.randn(4, 3, 5, 5)
    grams = [(m.flatten(1) @ m.flatten(1).T).flatten().numpy() for m in maps]

    def cosine(i: int, j: int) -> float:
        return float(grams[i] @ grams[j] / np.linalg.norm(grams[i]) / np.linalg.norm(grams[j]))

    assert likeness(maps, 2).tolist() == pytest.approx([cosine(0, 1), cosine(0, 1), cosine(2, 3), cosine(2, 3)])
    assert likeness(maps, 4)[1].item() == pytest.approx((cosine(1, 0) + cosine(1, 2) + cosine(1, 3)) / 3)
    assert likeness(maps[:1].expand(3, -1, -1, -1), 3).tolist() == pytest.approx([1, 1, 1])


# -------------------------------------------------------------------------------------------------------- optimisers


@pytest.mark.parametrize(("ours", "theirs"), [(Adam(0.05), torch.optim.Adam), (NAdam(1.0), torch.optim.NAdam)])
def test_optimisers_are_torchs(ours: Adam, theirs: type[torch.optim.Optimizer]) -> None:
    rate = 0.05 if theirs is torch.optim.Adam else 1.0
    generator = torch.Generator().manual_seed(0)
    value = torch.randn(3, 4, generator=generator)
    parameter = nn.Parameter(value.clone())
    optimiser = theirs([parameter], lr=rate, maximize=True)  # type: ignore[call-arg]
    for step in range(40):
        gradient = torch.randn(3, 4, generator=generator) * (1 + step / 10)
        parameter.grad = gradient.clone()
        optimiser.step()
        value = value + ours.change(gradient)
    torch.testing.assert_close(value, parameter.detach(), rtol=1e-4, atol=1e-5)


def test_transparency_adds_up_how_much_each_pixel_matters_in_any_colour() -> None:
    weights = torch.from_numpy(np.random.default_rng(1).standard_normal((3, 16, 16), np.float32))

    class Weighing:
        name = "a weighing"

        def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return (x * weights).sum((1, 2, 3))[:, None], x

    canvas = FourierCanvas.start(0, [(0, 0), (1, 0)], 3, 16)
    probe = cast(Probe, Weighing())
    made = Synthesis(canvas, Plain(), probe, Aim(lambda output: output[:, 0]), Adam(0.05), shown=2)
    assert sum(losses is not None for losses in made.climb(3)) == 3
    for opacity in made.opacities():
        np.testing.assert_allclose(opacity, 3 * weights.abs().sum(0), rtol=1e-5)
