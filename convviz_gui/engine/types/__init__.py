"""The vocabulary: frozen values that cross the thread line. No torch, no Qt, no behaviour beyond looking things up.

Arrays are numpy, on the host, read-only. Shapes use C channels, H×W the model's input, h×w a layer's map, N items,
K classes. "Photo" is the user's picture; "crop" the part of it the model saw.
"""

from __future__ import annotations

from convviz_gui.engine.types.commands import (
    Amend,
    Catalogue,
    Check,
    Command,
    Export,
    Exported,
    Identify,
    LoadModel,
    Locate,
    MethodInfo,
    MoveModel,
    Outcome,
    Reproject,
    Result,
    Run,
    Score,
)
from convviz_gui.engine.types.network import (
    NO_GRADIENT,
    NO_GRADIENT_TO_LAYERS,
    NO_GRADIENT_TO_MAPS,
    Candidate,
    Candidates,
    Finding,
    LayerNode,
    Level,
    ModelInfo,
    ModelSpec,
    PooledHead,
    ReceptiveField,
    TokenGrid,
)
from convviz_gui.engine.types.photos import ImageInput, Preprocess, PreprocessChange, Target

__all__ = [
    "NO_GRADIENT",
    "NO_GRADIENT_TO_LAYERS",
    "NO_GRADIENT_TO_MAPS",
    "Amend",
    "Candidate",
    "Candidates",
    "Catalogue",
    "Check",
    "Command",
    "Export",
    "Exported",
    "Finding",
    "Identify",
    "ImageInput",
    "LayerNode",
    "Level",
    "LoadModel",
    "Locate",
    "MethodInfo",
    "ModelInfo",
    "ModelSpec",
    "MoveModel",
    "Outcome",
    "PooledHead",
    "Preprocess",
    "PreprocessChange",
    "ReceptiveField",
    "Reproject",
    "Result",
    "Run",
    "Score",
    "Target",
    "TokenGrid",
]
