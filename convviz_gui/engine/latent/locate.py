"""Where a picture that is not in a dataset belongs on its map."""

from __future__ import annotations

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.folder_pass import check_finite
from convviz_gui.engine.latent.embedding import rows_of
from convviz_gui.engine.latent.neighbours import nearest_to
from convviz_gui.engine.latent.params import LatentParams
from convviz_gui.engine.latent.placing import place
from convviz_gui.engine.latent.whose import is_of
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray, Located, Points, frozen
from convviz_gui.engine.preprocess_rules import same_numbers
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ImageInput, Locate

_SAME_NETWORK = ("digest", "n_params", "n_classes")


def locate(session: Session, command: Locate) -> Steps[Located]:
    """Carry out a `Locate`: neighbours are exact in the full space; the place moves no other point.

    PCA gives the picture's exact place; t-SNE and UMAP the place where their own objective is least for it while all
    others stay (`placing`). The same picture always gets the same place.

    Raises:
        EngineError: the result holds no finished points, or they are not of the network as it is open now.
    """
    points = _checked(session, command)
    params = LatentParams.from_settings(command.result.settings)
    yield Update(0, 3, "forward pass")
    features, logits = _embedded(session, command.image, points.layer)
    yield Update(1, 3, "finding neighbours")
    known = yield from nearest_to(features[None], points.features, params.neighbours)
    yield Update(2, 3, "placing")
    xy = yield from place(features, points, params.plan(command.result.run.seed))
    return Located(
        name=command.image.name,
        digest=command.image.digest,
        path=command.image.path,
        layer=points.layer,
        xy=xy,
        neighbours=frozen(known.indices[0]),
        distances=frozen(known.distances[0]),
        outlier=float(known.distances[0].mean()) if known.distances.size else float("nan"),
        logits=logits,
    )


def _checked(session: Session, command: Locate) -> Points:
    points, model = command.result.payload, command.result.model
    if not isinstance(points, Points) or not points.final:
        raise EngineError("Pictures are placed on a finished map", "Wait until it is finished, or run it again")
    if not len(points.features):
        raise EngineError("The features of this map are not in memory", "Open a smaller part of the dataset")
    if not is_of(points, session.info):
        assert points.origin is not None
        raise EngineError(
            f"The features are of {points.origin.model} ({points.origin.weights}), not of the network that is open",
            "Open that one to place pictures among them",
        )
    same = all(getattr(model, name) == getattr(session.info, name) for name in _SAME_NETWORK)
    if not same or not same_numbers(model.preprocess, session.info.preprocess):
        raise EngineError(
            f"The map is of {model.name} as it was then, not of the network that is open", "Run the map again"
        )
    return points


def _embedded(session: Session, image: ImageInput, layer: str) -> tuple[FloatArray, FloatArray]:
    """Features f32 [D] and logits f32 [K], computed as those of the dataset were."""
    features, logits = rows_of(session, (layer,), session.input(image)[0])
    check_finite(features[layer], layer, (image.name,), session.info.precision)
    return frozen(features[layer][0]), frozen(logits[0])
