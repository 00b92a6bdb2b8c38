"""One part of a directory of features: a Parquet file that is there completely or not at all."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from convviz_gui.engine.atomic import write_bytes
from convviz_gui.engine.desk.fingerprint import LENGTH
from convviz_gui.engine.embedded.manifest import Description, Part
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import ByteArray, FloatArray, IntArray, Skipped

GROUP_ROWS = 16_384
GROUP_BYTES = 64 * 2**20
_MARK = b"convviz"
_RAW = ("features.list.element", "logits.list.element")
DAMAGE = (OSError, ValueError, KeyError, TypeError, pa.ArrowException)
"""What pyarrow has been seen to raise for damaged files; tests/engine/test_embedded.py tries every byte's region."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The n pictures of a part. `features` [n, D] and `logits` [n, K] in the type they are stored in.

    `prediction` i32 [n] is the most probable class, −1 where there is none, `probability` f32 [n] its own: both from
    the logits before rounding. `digests` are those of `engine.content`, `fingerprints` u8 [n, LENGTH] those of
    `desk.fingerprint`; `thumbnails` JPEG files, or empty.
    """

    ids: list[str]
    paths: list[str]
    labels: list[str]
    splits: list[str]
    digests: list[str]
    fingerprints: ByteArray = field(repr=False)
    features: NDArray[Any] = field(repr=False)
    logits: NDArray[Any] = field(repr=False)
    prediction: IntArray = field(repr=False)
    probability: FloatArray = field(repr=False)
    thumbnails: list[bytes] = field(default_factory=list, repr=False)


def part_name(number: int) -> str:
    """The file of a part, counted from 0."""
    return f"part-{number:05d}.parquet"


def schema(description: Description) -> pa.Schema:
    """The columns, in order; none may be null, which also makes vectors quick to read."""
    value = pa.float16() if description.store == "float16" else pa.float32()

    def vector(width: int) -> pa.DataType:
        return pa.list_(pa.field("element", value, nullable=False), width)

    columns = [
        ("id", pa.string()),
        ("path", pa.string()),
        ("label", pa.string()),
        ("split", pa.string()),
        ("features", vector(description.dimension)),
        ("logits", vector(description.n_classes)),
        ("prediction", pa.int32()),
        ("probability", pa.float32()),
        ("digest", pa.string()),
        ("fingerprint", pa.binary(LENGTH)),
        ("thumbnail", pa.binary() if description.thumbnails else pa.string()),
    ]
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns])


def group_rows(description: Description) -> int:
    """Rows of a row group: what is read at once, some 64 MB at most."""
    width = (2 if description.store == "float16" else 4) * (description.dimension + description.n_classes)
    return max(256, min(GROUP_ROWS, GROUP_BYTES // width))


def write_part(
    folder: Path, number: int, key: str, description: Description, rows: Rows, skipped: list[Skipped]
) -> Part:
    """Write a part atomically. `key` is of all that its rows depend on, `skipped` what was left out of them."""
    left = [[item.path, item.reason] for item in skipped]
    mark = {_MARK: json.dumps({"key": key, "number": number, "skipped": left}).encode()}
    form = schema(description)
    columns = {
        "id": rows.ids,
        "path": rows.paths,
        "label": rows.labels,
        "split": rows.splits,
        "features": _vectors(rows.features, form.field("features").type),
        "logits": _vectors(rows.logits, form.field("logits").type),
        "prediction": rows.prediction.astype(np.int32),
        "probability": rows.probability,
        "digest": rows.digests,
        "fingerprint": [bytes(row) for row in rows.fingerprints],
        # Without one of its own, a picture's thumbnail is made of its file.
        "thumbnail": rows.thumbnails if description.thumbnails else rows.paths,
    }
    arrays = [pa.array(columns[column.name], column.type) for column in form]
    table = pa.Table.from_arrays(arrays, schema=form.with_metadata(mark))
    return write_table(folder / part_name(number), table, group_rows(description))


def write_table(path: Path, table: pa.Table, rows_per_group: int) -> Part:
    """Write a table as a Parquet file, atomically, with a checksum on every page."""
    buffer = io.BytesIO()
    names = [name for name in table.column_names if f"{name}.list.element" not in _RAW]
    pq.write_table(
        table,
        buffer,
        row_group_size=rows_per_group,
        # Random bits do not get smaller, and what is as it was is read at the speed of the disk.
        compression=dict.fromkeys(names, "ZSTD") | dict.fromkeys(_RAW, "NONE"),
        use_dictionary=[name for name in ("label", "split", "prediction") if name in names],
        write_page_checksum=True,
    )
    data = buffer.getvalue()
    write_bytes(path, data)
    return Part(path.name, table.num_rows, len(data), hashlib.sha256(data).hexdigest())


def _vectors(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).reshape(-1)), type=kind)


def check_part(folder: Path, number: int) -> tuple[str, Part, tuple[Skipped, ...]] | None:
    """The key of a part that is there and whole, with its facts and what was left out of it; else None."""
    path = folder / part_name(number)
    try:
        data = path.read_bytes()
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        mark = json.loads((file.schema_arrow.metadata or {})[_MARK])
        for group in range(file.num_row_groups):
            file.read_row_group(group)
        skipped = tuple(Skipped(*map(str, item)) for item in mark["skipped"])
        key = str(mark["key"]) if mark["number"] == number else ""
    except DAMAGE:
        return None
    return key, Part(path.name, file.metadata.num_rows, len(data), hashlib.sha256(data).hexdigest()), skipped


def is_ours(path: Path) -> bool:
    """True if a Parquet file was written here; False for any other, and for one that is damaged beyond telling."""
    try:
        return _MARK in (pq.read_schema(path).metadata or {})
    except DAMAGE:
        return False


def open_part(folder: Path, part: Part, description: Description) -> pq.ParquetFile:
    """A part for reading. Raises `EngineError` naming it if it is missing, damaged, or has other columns."""
    path = folder / part.file
    try:
        size = path.stat().st_size
    except OSError:
        raise EngineError(f"The part {part.file} of {folder} is missing", _AGAIN) from None
    if size != part.size:
        raise EngineError(f"The part {part.file} of {folder} is damaged: {size:,} bytes, not {part.size:,}", _AGAIN)
    try:
        file = pq.ParquetFile(path)
        found = file.schema_arrow
    except DAMAGE as error:
        raise damaged(folder, part, error) from None
    expected = schema(description)
    for column in expected:
        index = found.get_field_index(column.name)
        if index < 0 or found.field(index).type != column.type:
            what = found.field(index).type if index >= 0 else "missing"
            raise EngineError(
                f"The part {part.file} of {folder} does not fit the manifest: {column.name} is {what}, "
                f"not {column.type}",
                _AGAIN,
            )
    if file.metadata.num_rows != part.rows:
        found_rows = f"{file.metadata.num_rows:,} rows, not {part.rows:,}"
        raise EngineError(f"The part {part.file} of {folder} does not fit the manifest: {found_rows}", _AGAIN)
    return file


_AGAIN = "Copy the directory anew, or run the same convviz embed again: it writes what is missing"


def damaged(folder: Path, part: Part, error: Exception) -> EngineError:
    """What to say of a part that cannot be read."""
    why = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return EngineError(f"The part {part.file} of {folder} is damaged ({why[:120]})", _AGAIN)


def vectors(column: pa.ChunkedArray, width: int) -> NDArray[Any]:
    """A column of vectors as an array [n, width] in the type it is stored in."""
    parts = [chunk.flatten().to_numpy(zero_copy_only=True) for chunk in column.chunks]
    flat = parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0, np.float16)
    return flat.reshape(-1, width)


def blobs(column: pa.ChunkedArray) -> ByteArray:
    """A column of fingerprints as an array u8 [n, LENGTH]."""
    return np.frombuffer(b"".join(column.to_pylist()), np.uint8).reshape(-1, LENGTH)
