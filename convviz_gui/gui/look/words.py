"""Numbers as a person writes them."""

from __future__ import annotations


def count(number: int) -> str:
    """12 → "12", 1248424 → "1.25 M"."""
    for size, suffix in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g} {suffix}"
    return str(number)


def shape(dims: tuple[int, ...] | None) -> str:
    """(64, 55, 55) → "64×55×55"; None → "–"."""
    return "×".join(str(dim) for dim in dims) if dims else "–"


def duration(seconds: float) -> str:
    """0.0002 → "< 1 ms", 0.021 → "21 ms", 3.4 → "3.4 s", 75 → "1 min 15 s"."""
    if seconds < 0.001:
        return "< 1 ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def memory(size: int) -> str:
    """Bytes → "512 MB" or "1.3 GB"."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def download(size: int) -> str:
    """Bytes of a file as people compare them: "4.9 MB", "346 MB", "1.2 GB"."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 99.5e6 else f"{size / 1e6:.1f} MB"


def percent(fraction: float) -> str:
    """0.973 → "97 %"; what is small but not nothing stays visible: 0.002 → "0.2 %", 0.0001 → "< 0.1 %"."""
    if fraction >= 0.0995:
        return f"{fraction * 100:.0f} %"
    if fraction >= 0.001:
        return f"{fraction * 100:.1f} %"
    return "< 0.1 %" if fraction > 0 else "0 %"


def points(fraction: float) -> str:
    """A change of a fraction in percentage points, with its sign: −0.123 → "−12.3", 0.00042 → "+0.04", 0 → "0"."""
    number = 100 * fraction
    size = abs(number)
    text = (
        f"{number:+.1f}"
        if size >= 1
        else f"{number:+.2f}"
        if size >= 0.005
        else "0"
        if number == 0
        else f"{number:+.1g}"
    )
    return text.replace("-", "−")


def ordinal(number: float) -> str:
    """99.5 → "99.5th", 91 → "91st"."""
    text = f"{number:g}"
    last = "" if "." in text or text.endswith(("11", "12", "13")) else text[-1]
    return text + {"1": "st", "2": "nd", "3": "rd"}.get(last, "th")


def breakable(name: str) -> str:
    """A long name that may be broken after its underscores, dots and slashes: "vit_base_patch14.lvd142m"."""
    for mark in "_./-":
        name = name.replace(mark, f"{mark}\u200b")
    return name
