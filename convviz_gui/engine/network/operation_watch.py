"""What every watcher of single operations has in common."""

from __future__ import annotations

from torch.utils._python_dispatch import TorchDispatchMode


class OperationWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own annotations
    """A dispatch mode that leaves torch's compiler alone."""

    supports_higher_order_operators = True

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # torch would import its compiler, seconds of work, only to keep it away from a watcher.
        return False
