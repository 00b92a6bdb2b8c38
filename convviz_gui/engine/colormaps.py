"""Colour tables, u8 [256, 3], by name. JET as in the Grad-CAM paper and the chapter; the others are perceptual.

Viridis and inferno (Smith and van der Walt, CC0), cividis (Nuñez et al. 2018, CC0) and turbo (Mikhailov 2019,
Apache-2.0) are kept as every fifth colour. In between they are interpolated: within 1 of 255 of the originals
(cividis: 5, at its blue end).
"""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.payloads import ByteArray, frozen

NOT_A_NUMBER = (255, 0, 255)
"""Colour of NaN and ±infinity; no table comes near it."""

_EVERY_FIFTH = {
    "viridis": (
        "44015445085b470f62471669481d6f482374472a7946307d453681433c844142863e48883c4d8a3a538b37588c355d8c32628d30678d"
        "2e6c8e2c718e2a768e287a8e267f8e24848d23898d218d8c1f928c1e978a1e9b891ea08720a58523a98228ae7f2eb27c35b7783dbb74"
        "45bf6f4fc36959c76464cb5d70ce567cd24f88d54795d73fa2da37afdc2ebdde26cae01ed7e219e4e318f1e51cfde724"
    ),
    "inferno": (
        "00000301010b0403160906210f092d160b391d0c45260b502e0a5a370961400966480b6a500d6c58106d60136e68166e70196e781c6d"
        "801f6b88216a902468982765a02a62a72d5faf315bb73456be3852c53d4dcc4148d24742d94d3dde5337e45a31e8612bed6825f0701e"
        "f37918f68111f88a0bfa9306fb9d06fba60bfbb014fbb91ef9c32af8cd37f5d745f3e056f1e968f1f27df5f891fcfea4"
    ),
    "cividis": (
        "00224d00265500295e002c6700307008337016366f1f3a6e273d6d2e416c34446c39486c3f4b6b444f6b49526b4e566c52596c575d6d"
        "5b606e60646e64676f686b716d6e727172737575757979777e7d788380788784788c8878918c77968f779b9376a09775a59b73aa9f72"
        "afa370b4a76fb9ab6dbeb06ac4b468c9b865cebc62d4c15ed9c55adfca56e4ce51ead34cefd846f5dc3ffbe136fde737"
    ),
    "turbo": (
        "30123b36215f3b2f7f3f3d9c424bb54458cb4666dd4673eb467ff6448cfd3f98fe38a5fb2fb1f326bde91ec9dc19d3cf17dcc21ae4b6"
        "22eba92ff09a3ff58a51f97965fc6878fe598bfe4b9bfd40a9fb39b6f735c3f133cfea34dae236e5d838edcf39f4c43af9ba38fcae34"
        "fea12ffd9229fb8323f8741cf46516ee5810e84b0ce04008d73606ce2d04c32402b61c01a915019a0e018b09017a0402"
    ),
}
# ColorBrewer's RdBu, reversed: negative blue, zero near white, positive red.
_BLUE_RED = "053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f"
_JET = (
    ((0, 0.35, 0.66, 0.89, 1), (0, 0, 1, 1, 0.5)),
    ((0, 0.125, 0.375, 0.64, 0.91, 1), (0, 0, 1, 1, 0, 0)),
    ((0, 0.11, 0.34, 0.65, 1), (0.5, 1, 1, 0, 0)),
)
_POSITIONS = np.linspace(0, 1, 256)


def _between(anchors: str) -> ByteArray:
    colours = np.frombuffer(bytes.fromhex(anchors), np.uint8).reshape(-1, 3)
    where = np.linspace(0, 1, len(colours))
    return _table([np.interp(_POSITIONS, where, colours[:, i]).round() for i in range(3)])


def _table(columns: list[np.ndarray]) -> ByteArray:
    return frozen(np.stack(columns, axis=1).astype(np.uint8))


COLORMAPS: dict[str, ByteArray] = {
    # Truncated, not rounded: so does matplotlib, and this is to be its JET.
    "jet": _table([np.interp(_POSITIONS, x, y) * 255 for x, y in _JET]),
    **{name: _between(anchors) for name, anchors in _EVERY_FIFTH.items()},
    "grey": _table([np.arange(256)] * 3),
    "blue-red": _between(_BLUE_RED),
}
"""All tables by name. "blue-red" diverges: it is for signed values over a range that is symmetric about zero."""

DIVERGING = "blue-red"
