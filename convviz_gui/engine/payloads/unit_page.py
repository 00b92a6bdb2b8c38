"""Everything about one channel."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from convviz_gui.engine.payloads.arrays import ByteArray, FloatArray, IntArray, frozen
from convviz_gui.engine.payloads.skipped import Skipped


def _f32(*shape: int) -> FloatArray:
    return frozen(np.zeros(shape, np.float32))


def _i64(*shape: int) -> IntArray:
    return frozen(np.zeros(shape, np.int64))


@dataclass(frozen=True, slots=True)
class Weights:
    """The filter that makes the channel: `values` f32 [C, kh, kw] of layer `layer`, [0, 0, 0] if there is none.

    `layer` is the channel's own layer, or the one before it whose channels it passes on. `colours` holds, for a filter
    that sees the picture itself, which of its slices is red, green and blue, else (). `norm` is its L2 norm, and
    `rank` its place among the layer's `count` filters by it, from 1.
    """

    values: FloatArray = field(default_factory=lambda: _f32(0, 0, 0), repr=False, compare=False)
    layer: str = ""
    colours: tuple[int, ...] = ()
    norm: float = 0.0
    rank: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Synthetic:
    """A picture u8 [H, W, 3] grown to make the channel respond, and its mean response at every step, f32 [steps].

    `picture` is [0, 0, 3] before there is one; the trace is NaN at steps not taken yet. `dead`: nothing made it answer.
    """

    picture: ByteArray = field(default_factory=lambda: frozen(np.zeros((0, 0, 3), np.uint8)), repr=False, compare=False)
    trace: FloatArray = field(default_factory=lambda: _f32(0), repr=False, compare=False)
    dead: bool = False


@dataclass(frozen=True, slots=True)
class Strongest:
    """The k pictures in which the channel's largest value is largest, that first.

    `images` u8 [k, s, s, 3]: the part of the photo that the position sees, in shape, on grey 128. `values` f32 [k];
    `positions` i64 [k, 2], row and column in the map; `boxes` f32 [k, 4] in the photo's pixels; `inputs` f32 [k, 4],
    the same part in the pixels of the network's input. `pictures` i64 [k]: rows of the page's `paths`. `projected` f32
    [m, C, H, W], m ≤ k: the first m traced back from that position to the input by DeconvNet's rule, raw; `order`
    holds the colour, 0 red to 2 blue, of each of its channels. `sees` is "part", "whole" or "unknown", as in `Patches`.
    """

    images: ByteArray = field(
        default_factory=lambda: frozen(np.zeros((0, 1, 1, 3), np.uint8)), repr=False, compare=False
    )
    values: FloatArray = field(default_factory=lambda: _f32(0), repr=False, compare=False)
    positions: IntArray = field(default_factory=lambda: _i64(0, 2), repr=False, compare=False)
    boxes: FloatArray = field(default_factory=lambda: _f32(0, 4), repr=False, compare=False)
    inputs: FloatArray = field(default_factory=lambda: _f32(0, 4), repr=False, compare=False)
    pictures: IntArray = field(default_factory=lambda: _i64(0), repr=False, compare=False)
    projected: FloatArray = field(default_factory=lambda: _f32(0, 1, 1, 1), repr=False, compare=False)
    order: tuple[int, ...] = (0, 1, 2)
    sees: str = "part"


@dataclass(frozen=True, slots=True)
class Record:
    """How the channel behaved in the N pictures of the folder that were read, `paths` and `labels`.

    `peaks` f32 [N]: its largest value in each; it `fired` bool [N] where that is above the threshold of
    `statistics.firing_threshold`. `counts` i64 [B] and `edges` f32 [B + 1]: a histogram of its values at all positions.
    `mean` over all positions. `groups` are the different labels, G of them, `rates` f32 [G] the part 0…1 of their
    pictures in which it fires, `group_peaks` f32 [G] the average of their peaks and `sizes` i64 [G] their number.
    """

    paths: tuple[str, ...] = field(default=(), repr=False)
    labels: tuple[str, ...] = field(default=(), repr=False)
    peaks: FloatArray = field(default_factory=lambda: _f32(0), repr=False, compare=False)
    fired: IntArray = field(default_factory=lambda: _i64(0), repr=False, compare=False)
    counts: IntArray = field(default_factory=lambda: _i64(0), repr=False, compare=False)
    edges: FloatArray = field(default_factory=lambda: _f32(0), repr=False, compare=False)
    mean: float = 0.0
    groups: tuple[str, ...] = ()
    rates: FloatArray = field(default_factory=lambda: _f32(0), repr=False, compare=False)
    group_peaks: FloatArray = field(default_factory=lambda: _f32(0), repr=False, compare=False)
    sizes: IntArray = field(default_factory=lambda: _i64(0), repr=False, compare=False)

    @property
    def firing(self) -> float:
        """The part 0…1 of the pictures in which it fires."""
        return float(self.fired.mean()) if len(self.fired) else 0.0


@dataclass(frozen=True, slots=True)
class Alike:
    """Other channels of the layer, the most alike first: `channels` i64 [s].

    `correlation` f32 [s] is of the channels' means over each of `pictures` pictures, [0] where there were too few to
    tell; `cosine` f32 [s] is of the filters' weights, [0] where there are none. `duplicate` is the channel whose
    correlation is so high that the two say the same, or −1.
    """

    channels: IntArray = field(default_factory=lambda: _i64(0), repr=False, compare=False)
    correlation: FloatArray = field(default_factory=lambda: _f32(0), repr=False, compare=False)
    cosine: FloatArray = field(default_factory=lambda: _f32(0), repr=False, compare=False)
    pictures: int = 0
    duplicate: int = -1


@dataclass(frozen=True, slots=True)
class Feeds:
    """Which channels of the next layer with weights listen to it most: `channels` i64 [f] of `layer`.

    `weights` f32 [f]: the L2 norm of their kernels for it, with the sign of the kernels' sum. `classes`: these are the
    network's classes.
    """

    layer: str = ""
    channels: IntArray = field(default_factory=lambda: _i64(0), repr=False, compare=False)
    weights: FloatArray = field(default_factory=lambda: _f32(0), repr=False, compare=False)
    classes: bool = False


@dataclass(frozen=True, slots=True)
class UnitPage:
    """Everything about channel `channel` of `layer`, as far as it is known by now.

    `done` names the sections that are complete ("weights", "synthetic", "strongest", "projected", "record", "alike",
    "feeds"); `notes` holds (section, sentence) for those that cannot be had. `folder` is None where none was given.
    """

    layer: str
    channel: int
    n_channels: int
    kind: str
    folder: str | None = None
    kernel: Weights = Weights()
    synthetic: Synthetic = Synthetic()
    strongest: Strongest = Strongest()
    record: Record = Record()
    alike: Alike = Alike()
    feeds: Feeds = Feeds()
    done: tuple[str, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    skipped: tuple[Skipped, ...] = ()
    reduced_to: int = 0

    @property
    def dead(self) -> bool:
        """It fires in none of the folder's pictures."""
        return bool(len(self.record.fired)) and not self.record.fired.any()

    def note(self, section: str) -> str:
        """Why a section cannot be had, or ""."""
        return dict(self.notes).get(section, "")
