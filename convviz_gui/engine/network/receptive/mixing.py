"""Rules for operations that mix elements: sums, matrix products, attention, norms; and for those that mix none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from convviz_gui.engine.network.receptive.reach import IrregularError, Reach, Step, irregular, is_flat, mixed, over
from convviz_gui.engine.network.receptive.rules import Op, rule
from convviz_gui.engine.network.receptive.union import broadcast, union


def _inputs(op: Op) -> list[Reach]:
    return [reach for value in (*op.args, *op.kwargs.values()) if (reach := op.reach_of(value)) is not None]


@rule("complex", "polar", "conj", "_conj", "fake_quantize_per_tensor_affine_cachemask")
def element_by_element(op: Op) -> Reach:
    """The rule of every operation that computes each element from those in the same place."""
    return union(_inputs(op), op.shape)


@rule(
    "clone", "contiguous", "detach", "alias", "lift_fresh", "lift_fresh_copy", "to", "_to_copy", "native_dropout",
    "dropout", "rrelu_with_noise", "feature_dropout", "alpha_dropout", "_prelu_kernel", "prelu", "hardswish",
    "log_sigmoid_forward", "tril", "triu",
)  # fmt: skip
def _same(op: Op) -> Reach:
    return op.first


@rule("copy")
def _copied(op: Op) -> Reach | None:
    source = op.reach_of(op.args[1])
    return source and broadcast(source, op.shape)


@rule(
    "zero", "fill", "uniform", "normal", "bernoulli", "zeros_like", "ones_like", "full_like", "empty_like", "rand_like",
    "randn_like", "new_zeros", "new_ones", "new_full", "new_empty", "new_empty_strided",
)  # fmt: skip
def _nothing(op: Op) -> None:
    """What was in the tensor is of no consequence, only its shape."""


@rule(
    "sum", "mean", "amax", "amin", "max", "min", "prod", "logsumexp", "norm", "linalg_vector_norm", "var", "std",
    "var_mean", "std_mean", "any", "all", "argmax", "argmin", "median", "count_nonzero",
)  # fmt: skip
def _reduced(op: Op) -> Reach:
    second = op.arg(1)
    if op.name in ("max", "min") and op.reach_of(second) is not None:
        return union(_inputs(op), op.shape)
    dims = op.arg(2) if op.name in ("norm", "linalg_vector_norm") else second
    every = range(len(op.first.axes))
    axes = [dims] if isinstance(dims, int) else (dims or every)
    return over(op.first, axes, keepdim=len(op.shape) == len(op.first.axes))


def normalised(reach: Reach, axes: Iterable[int]) -> Reach:
    """Numbers taken from all positions along these axes scale each one: gates where the axes are places."""
    n = len(reach.axes)
    gated = any(not is_flat(reach.axes[axis % n]) for axis in axes)
    return replace(reach, gated=reach.gated or gated)


@rule("_softmax", "_log_softmax", "softmax", "log_softmax", "_safe_softmax")
def _softmax(op: Op) -> Reach:
    return normalised(op.first, [op.args[1]])


@rule("native_layer_norm", "_fused_rms_norm", "rms_norm")
def _layer_norm(op: Op) -> list[Reach | None]:
    n = len(op.args[1])
    return [normalised(op.first, range(-n, 0)), *[None] * (len(op.outs) - 1)]


@rule("native_group_norm")
def _group_norm(op: Op) -> list[Reach | None]:
    return [normalised(op.first, range(1, len(op.first.axes))), None, None]


@rule(
    "native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm",
    "miopen_batch_norm", "_batch_norm_impl_index", "_native_batch_norm_legit_functional",
)  # fmt: skip
def _batch_norm(op: Op) -> list[Reach | None]:
    training = "no_training" not in op.name and bool(op.arg(5, False))
    axes = [axis for axis in range(len(op.first.axes)) if axis != 1] if training else []
    return [normalised(op.first, axes), *[None] * (len(op.outs) - 1)]


def product(a: Reach | None, b: Reach | None, shape: tuple[int, ...]) -> Reach:
    """What the matrix product [..., M, K] @ [..., K, N] sees; None for a factor that sees nothing."""
    parts = []
    if a is not None:
        a = over(a, [-1], keepdim=True)
        parts.append(a.with_axis(len(a.axes) - 1, Step(shape[-1])))
    if b is not None:
        b = over(b, [-2], keepdim=True)
        parts.append(b.with_axis(len(b.axes) - 2, Step(shape[-2])))
    return union(parts, shape, gates=False)


@rule("mm", "bmm")
def _product(op: Op) -> Reach:
    return product(op.reach_of(op.args[0]), op.reach_of(op.args[1]), op.shape)


@rule("addmm", "baddbmm")
def _added_product(op: Op) -> Reach:
    bias, a, b = (op.reach_of(value) for value in op.args[:3])
    parts = [product(a, b, op.shape)] if a or b else []
    return union([*parts, bias] if bias else parts, op.shape)


@rule("mv")
def _applied(op: Op) -> Reach:
    if op.reach_of(op.args[1]) is not None:
        raise IrregularError
    return over(op.first, [-1], keepdim=False)


@rule("linear")
def _linear(op: Op) -> Reach:
    if any(op.reach_of(value) is not None for value in op.args[1:]):
        raise IrregularError
    reach = over(op.first, [-1], keepdim=True)
    return reach.with_axis(len(op.shape) - 1, Step(op.shape[-1]))


@rule(
    "_scaled_dot_product_flash_attention", "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_attention_math", "_scaled_dot_product_attention_math_for_mps",
    "_scaled_dot_product_efficient_attention", "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_fused_attention_overrideable",
)  # fmt: skip
def _attention(op: Op) -> list[Reach | None]:
    """Queries [..., L, E], keys [..., S, E], values [..., S, F]: every query mixes all values of its window."""
    queries, keys, values = (op.reach_of(value) for value in op.args[:3])
    n, last = len(op.shape), Step(op.shape[-1])
    parts = [] if queries is None else [queries.with_axis(n - 1, last)]
    for each in (keys, values):
        if each is not None:
            every = over(each, [-2, -1], keepdim=True)
            parts.append(every.with_axis(n - 1, last).with_axis(n - 2, Step(op.shape[-2])))
    return [union(parts, op.shape, gates=False), *[None] * (len(op.outs) - 1)]


@rule("_native_multi_head_attention", "_transformer_encoder_layer_fwd")
def _token_attention(op: Op) -> list[Reach]:
    reach = mixed(op.first, range(1, len(op.shape)), op.shape)
    return [reach, *(irregular(out.shape, reach.picture) for out in op.outs[1:])]


@rule("_fft_r2c", "_fft_c2r", "_fft_c2c")
def _fourier(op: Op) -> Reach:
    return mixed(op.first, [dim % len(op.shape) for dim in op.args[1]], op.shape)


@rule("mkldnn_rnn_layer", "_cudnn_rnn")
def _recurrent(op: Op) -> list[Reach | None]:
    """[T, B, C], or [B, T, C] where a flag says so: taken to mix all steps, as in both directions it does."""
    time = int(op.name == "_cudnn_rnn" and bool(op.args[10]))
    reach = mixed(op.first, [time], op.shape)
    reach = over(reach, [2], keepdim=True).with_axis(2, Step(op.shape[2]))
    return [reach, *[None] * (len(op.outs) - 1)]
