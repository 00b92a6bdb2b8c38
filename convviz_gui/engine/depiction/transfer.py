"""A transfer check in files."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures, Tables, table
from convviz_gui.engine.payloads import Transfer
from convviz_gui.engine.transfer_plot import transfer_picture
from convviz_gui.engine.types import Result


def _arrays(transfer: Transfer) -> Arrays:
    found: Arrays = {
        "rows": np.array(transfer.names),
        "sizes": transfer.sizes,
        "strength": transfer.strength,
        "exact": transfer.exact,
        "majority": np.array(transfer.majority, np.float64),
        "labels": np.array(transfer.labels),
        "paths": np.array(transfer.paths, np.str_),
        "classes": transfer.classes,
    }
    for name, judged in (("knn", transfer.knn), ("probe", transfer.probe)):
        found[name] = judged.accuracy
        for field in ("interval", "balanced", "balanced_interval", "folds", "right"):
            found[f"{name}_{field}"] = getattr(judged, field)
    return found


def transfer_table(transfer: Transfer) -> str:
    """A line of CSV for raw pixels, for each layer, and for always saying the commonest label."""
    head = ["row", "size"]
    for way in ("knn", "probe"):
        head += [way, f"{way}_low", f"{way}_high", f"{way}_balanced", f"{way}_fold_deviation"]
    rows: list[list[object]] = []
    for number, name in enumerate(transfer.names):
        row: list[object] = [name, int(transfer.sizes[number])]
        for judged in (transfer.knn, transfer.probe):
            folds = judged.folds[number][np.isfinite(judged.folds[number])]
            spread = round(float(folds.std(ddof=1)), 6) if len(folds) > 1 else ""
            numbers = (judged.accuracy[number], *judged.interval[number], judged.balanced[number])
            row += [*(round(float(one), 6) for one in numbers), spread]
        rows.append(row)
    majority, guess = round(transfer.majority, 6), round(1 / len(transfer.labels), 6)
    rows.append(["commonest label", "", *([majority, "", "", guess, ""] * 2)])
    return table(head, rows)


def _pictures(transfer: Transfer, _result: Result) -> Pictures:
    return {"transfer": transfer_picture(transfer)}


def _tables(transfer: Transfer, _result: Result) -> Tables:
    return {"transfer": transfer_table(transfer)}


TRANSFER = Depiction(_arrays, _pictures, _tables)
