"""`convviz cache`: what is kept of features on the disk."""

from __future__ import annotations

import argparse
import json
import time

from convviz_gui.cli.terminal import DONE
from convviz_gui.engine.errors import EngineError


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--clear", action="store_true", help="remove all of it; nothing of yours is in there")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(command=_cache)


def _cache(options: argparse.Namespace, _words: list[str]) -> int:
    from convviz_gui.engine.latent import kept_features
    from convviz_gui.engine.latent.kept_features import in_words

    try:
        folder = kept_features.folder()
    except OSError as error:
        raise EngineError(f"There can be no cache ({error})", "Check CONVVIZ_HOME, or the permissions there") from None
    freed = 0
    if options.clear:
        freed = kept_features.clear()
    kept = kept_features.kept_files()
    if options.clear and kept:
        raise EngineError(
            f"Freed {in_words(freed)}, but not all of {folder}",
            "A run or another program is using the rest: try again when it has ended",
        )
    if options.json:
        files = [
            {"file": str(one.path), "about": one.about, "pictures": one.pictures, "bytes": one.size, "used": one.used}
            for one in kept
        ]
        size, most = sum(one.size for one in kept), kept_features.limit()
        print(json.dumps({"folder": str(folder), "bytes": size, "limit": most, "freed": freed, "files": files}))
        return DONE
    if options.clear:
        print(f"Freed {in_words(freed)} in {folder}")
        return DONE
    size = sum(one.size for one in kept)
    print(f"{folder}: {in_words(size)} of at most {in_words(kept_features.limit())}")
    for one in kept:
        day = time.strftime("%Y-%m-%d", time.localtime(one.used))
        what = one.about or ("where files were read before" if one.path.stem == "files" else "damaged")
        print(f"{in_words(one.size):>9}  {one.pictures:>9,} pictures  used {day}  {what}")
    return DONE
