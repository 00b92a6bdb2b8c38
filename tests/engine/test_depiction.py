"""Every kind of result can be written."""

from __future__ import annotations

import typing

from convviz_gui.engine.depiction import DEPICTIONS
from convviz_gui.engine.method import methods
from convviz_gui.engine.payloads import Payload


def test_every_payload_is_written_somehow() -> None:
    assert set(DEPICTIONS) == set(typing.get_args(Payload))


def test_methods_return_payloads() -> None:
    for method in methods().values():
        assert method.payload in DEPICTIONS
