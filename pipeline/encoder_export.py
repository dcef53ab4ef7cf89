"""The fine-tuned encoder → one ONNX file of 8-bit integers with fixed scales."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.fusion_options import FusionOptions
from onnxruntime.transformers.optimizer import optimize_model

from pipeline.encoder import pad
from pipeline.encoder_network import EncoderNetwork

_OPSET = 17
_BATCH = 16
_LEVELS = 255
_INPUTS = ("input_ids", "attention_mask")


def export_encoder(network: EncoderNetwork, tokens: Sequence[Sequence[int]], path: Path) -> None:
    """Write the network as ONNX, its weights and activations quantised to 8 bits.

    Weights have one scale a column. Activations have one scale a tensor, fixed to the range that the calibration
    sentences show: scales taken from each batch (dynamic quantisation) would let a sentence's answer depend on the
    sentences beside it.

    Args:
        network: The fine-tuned network, in evaluation mode.
        tokens: Calibration sentences, with enough of every label.
        path: File to write.
    """
    with TemporaryDirectory() as scratch:
        plain, fused, dynamic = (str(Path(scratch) / f"{name}.onnx") for name in ("plain", "fused", "dynamic"))
        _export(network, plain)
        options = FusionOptions("bert")
        options.enable_embed_layer_norm = False  # it would hide the embedding table from the quantiser
        config = network.body.config
        optimize_model(
            plain,
            model_type="bert",
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            optimization_options=options,
        ).save_model_to_file(fused)
        quantize_dynamic(
            fused,
            dynamic,
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )
        model = onnx.load(dynamic)
        _fix_scales(model, onnx.load(fused), tokens)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _export(network: EncoderNetwork, path: str) -> None:
    example = torch.ones((2, 8), dtype=torch.long)
    axes = {name: {0: "sentences", 1: "tokens"} for name in _INPUTS}
    with warnings.catch_warnings():
        # This exporter is deprecated, but needs no further package, and what it writes is fused by ONNX Runtime.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network.float(),
            (example, example),
            path,
            input_names=list(_INPUTS),
            output_names=["logits"],
            dynamic_axes={**axes, "logits": {0: "sentences"}},
            opset_version=_OPSET,
            dynamo=False,
        )


def _fix_scales(model: onnx.ModelProto, fused: onnx.ModelProto, tokens: Sequence[Sequence[int]]) -> None:
    """Replace every scale that a batch would choose for itself by the one of the calibration sentences."""
    nodes = model.graph.node
    chosen = [node for node in nodes if node.op_type == "DynamicQuantizeLinear"]
    ranges = _ranges(fused, sorted({node.input[0] for node in chosen}), tokens)
    for node in chosen:
        quantised, scale_name, zero_name = node.output
        low, high = ranges[node.input[0]]
        scale = np.float32((high - low) / _LEVELS)
        model.graph.initializer.append(numpy_helper.from_array(np.array(scale), scale_name))
        model.graph.initializer.append(numpy_helper.from_array(np.array(np.uint8(round(-low / scale))), zero_name))
        place = list(nodes).index(node)
        nodes.remove(node)
        fixed = helper.make_node("QuantizeLinear", [node.input[0], scale_name, zero_name], [quantised])
        nodes.insert(place, fixed)


def _ranges(
    model: onnx.ModelProto, names: Sequence[str], tokens: Sequence[Sequence[int]]
) -> dict[str, tuple[float, float]]:
    """Find the lowest and highest value of tensors over the calibration sentences; zero is always within."""
    for name in names:
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    session = InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    low, high = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    order = sorted(tokens, key=len)
    for start in range(0, len(order), _BATCH):
        inputs = pad(order[start : start + _BATCH])
        mask = inputs["attention_mask"]
        values = session.run(list(names), inputs)
        for name, value in zip(names, values, strict=True):
            # What stands at padding is never looked at.
            real = value[mask.astype(bool)] if value.shape[:2] == mask.shape else value
            low[name] = min(low[name], float(real.min()))
            high[name] = max(high[name], float(real.max()))
    return {name: (low[name], high[name]) for name in names}
