"""What a folder tells of a channel: where it answers most, what made it, how often, and who answers alike."""

from __future__ import annotations

import dataclasses

import numpy as np

from convviz_gui.engine.attribution.backward_rules import Rule, in_words
from convviz_gui.engine.attribution.input_gradient import input_gradient
from convviz_gui.engine.attribution.pixel_maps import no_relu
from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import load_image
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray, IntArray, frozen
from convviz_gui.engine.payloads.unit_page import Alike, Strongest
from convviz_gui.engine.preprocess import colour_order
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.stages import stage
from convviz_gui.engine.types import LayerNode, Run, Target
from convviz_gui.engine.unit_page.own import Filters
from convviz_gui.engine.unit_page.page import GrowingPage
from convviz_gui.engine.units.channel_record import DUPLICATE, ChannelRecord, correlations, cosines
from convviz_gui.engine.units.gathering import gather
from convviz_gui.engine.units.places import Frames, Sees, field_boxes
from convviz_gui.engine.units.scan import scan
from convviz_gui.engine.units.statistics import Responses
from convviz_gui.engine.units.top_k import Ranking, TopK

PATCH = 96
"""Side of a patch in pixels."""
RESPONSE_BYTES = 64_000_000
PROJECTED_BYTES = 32_000_000
LISTED = 6
BY_WEIGHTS = 2


def read_folder(
    session: Session, listing: Listing, node: LayerNode, channel: int, top: int, batch: int, growing: GrowingPage
) -> Steps[FloatArray | None]:
    """Put the sections "record" and "strongest" on the page; returns the correlations f32 [C] with other channels.

    Raises `EngineError` if no picture can be read, or values are not finite.
    """
    precision = session.info.precision
    record = ChannelRecord(node.id, channel, precision)
    best = TopK(node.id, top, channels=(channel,), precision=precision)
    most = max(10, RESPONSE_BYTES // (4 * max(node.channels or 1, 1)))
    responses = Responses(len(listing.paths), most)
    preview = growing.so_far(lambda: {"record": record.record()})
    passed = yield from stage(scan(session, listing, {node.id: [best, record, responses]}, batch, preview), (0, 800))
    growing.put("record", record=record.record(), skipped=passed.skipped, reduced_to=passed.reduced_to)
    strongest = yield from stage(_cut(session, listing, node, best.ranking(), record, growing), (800, 1000))
    growing.put("strongest", strongest=strongest)
    return correlations(responses.table(), channel)


def _cut(
    session: Session, listing: Listing, node: LayerNode, ranking: Ranking, record: ChannelRecord, growing: GrowingPage
) -> Steps[Strongest]:
    """The strongest pictures' patches."""
    there = ranking.pictures[0] >= 0
    pictures, positions = ranking.pictures[0][there], ranking.positions[0][there]
    rows = record.rows_of(pictures)
    size = session.info.preprocess.size
    whole = Frames(np.array([[0, 0, size[1], size[0]]], np.float32), np.array([size], np.float32))
    boxes = field_boxes(node, positions, record.frames(rows), size)
    images, gone = yield from stage(gather(listing.paths, pictures[None], boxes[None], PATCH), (0, 1000), growing.page)
    if gone:
        growing.set(skipped=(*growing.page().skipped, *gone))
    return Strongest(
        images=frozen(images[0]),
        values=frozen(ranking.values[0][there]),
        positions=frozen(positions),
        boxes=frozen(boxes),
        inputs=frozen(field_boxes(node, positions, whole, size)),
        pictures=frozen(rows),
        order=colour_order(session.info.preprocess),
        sees=Sees.of(node).value,
    )


def project(session: Session, node: LayerNode, channel: int, growing: GrowingPage) -> Steps[None]:
    """Trace the channel's maximum in each of the strongest pictures back to the input, by DeconvNet's rule.

    Reference: Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014.
    """
    why = no_relu(session.info)
    if why:
        growing.lack("projected", why)
        return
    page = growing.page()
    strongest, paths = page.strongest, page.record.paths
    channels, (height, width) = session.info.preprocess.channels, session.info.preprocess.size
    count = min(len(strongest.images), max(1, PROJECTED_BYTES // (4 * channels * height * width)))
    made: list[FloatArray] = []
    for row in range(count):
        yield Update(row, count, f"tracing back: {row + 1} of {count}", growing.page)
        unit = tuple(int(number) for number in strongest.positions[row]) if node.is_map else None
        try:
            image = load_image(paths[int(strongest.pictures[row])])
            target = Target(node.id, (channel,), unit=unit)  # type: ignore[arg-type]
            found = input_gradient(session, Run("deconvnet", target, image), Rule.DECONVNET)
        except EngineError as error:
            growing.lack("projected", error)
            return
        made.append(read_only(found.gradient[0]))
        growing.set(strongest=dataclasses.replace(strongest, projected=frozen(np.stack(made))))
        if row == 0 and found.coverage is not None and found.coverage.unhandled:
            growing.lack("projected", in_words(found.coverage))
    growing.put("projected")


def alike_of(filters: Filters | None, correlation: FloatArray | None, channel: int, pictures: int) -> Alike:
    """Channels that answer alike, or whose filters are alike where no pictures can tell."""
    cosine = cosines(filters.values, channel) if filters is not None and filters.values[0].size > 1 else None
    keys = [key for key in (correlation, cosine) if key is not None]
    if not keys:
        return Alike()
    listed: list[int] = []
    for key, count in zip(keys, (LISTED, BY_WEIGHTS), strict=False):
        order = [int(other) for other in np.argsort(-key, kind="stable") if other != channel and key[other] > 0]
        listed += [other for other in order[:count] if other not in listed]
    rows: IntArray = np.array(listed, np.int64)
    twin = -1
    if correlation is not None and listed:
        best = int(rows[correlation[rows].argmax()])
        twin = best if correlation[best] >= DUPLICATE else -1

    def of(key: FloatArray | None) -> FloatArray:
        return frozen(key[rows] if key is not None else np.zeros(0, np.float32))

    return Alike(frozen(rows), of(correlation), of(cosine), pictures if correlation is not None else 0, twin)
