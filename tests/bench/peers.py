"""What a user would prune with instead, for peers.mjs: python3 peers.py PEER, then a job a line on stdin, an answer a line on stdout.

A job: {"model", "out": files, "share": of the parameters to keep, "rows": file of float32 rows or null, "repeat"}. Each job is run for a
second, then `repeat` times; the answer has those runs' processor and wall seconds, the process's largest memory over them, and the share
of the parameters that is left. A run goes from file to file: read the ONNX, prune, write ONNX. Rows are in memory before.
"""
import io
import json
import logging
import sys
import time
import warnings

import numpy as np

PEER = sys.argv[1]
WARM = 1  # seconds of runs before those that count

if PEER.startswith("torch"):
    import torch
    import torch.nn as nn
    import torch.nn.utils.prune as prune

    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)

import onnx
from onnx import helper, numpy_helper


# ---- reading: a chain of layers, as (op, attributes, arrays) ----------------------------------------------------------------

def read(path):
    model = onnx.load(path)
    graph = model.graph
    values = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    layers, expected = [], [v.name for v in graph.input if v.name not in values][0]
    for node in graph.node:
        if node.op_type == "Constant":
            values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
            continue
        if node.input[0] != expected:
            raise ValueError("not a chain of layers")
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        arrays = [np.array(values[name]) for name in node.input[1:]]
        if node.op_type == "Gemm":
            if not attributes.get("transB", 0):
                arrays[0] = arrays[0].T
            if attributes.get("alpha", 1.0) != 1.0 or attributes.get("beta", 1.0) != 1.0:
                raise ValueError("a scaled Gemm")
        layers.append((node.op_type, attributes, arrays))
        expected = node.output[0]
    shape = [d.dim_value or 1 for d in graph.input[0].type.tensor_type.shape.dim]
    return model, layers, [1] + shape[1:]


def count(layers):
    return sum(a.size for op, _, arrays in layers if op in ("Gemm", "Conv", "BatchNormalization") for a in arrays)


# ---- numpy: dense chains ----------------------------------------------------------------------------------------------------

ACTIVATIONS = {"Relu": lambda z: np.maximum(z, 0), "Tanh": np.tanh, "Flatten": lambda z: z.reshape(len(z), -1)}


def write_dense(model, layers, path):
    """The same file with other weights: initialisers replaced in their order."""
    arrays = iter([a for op, _, arrays in layers if op == "Gemm" for a in arrays])
    names = {}
    for node in model.graph.node:
        if node.op_type == "Gemm":
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            weights, bias = next(arrays), next(arrays)
            names[node.input[1]] = weights if transposed else weights.T
            names[node.input[2]] = bias
    for tensor in model.graph.initializer:
        if tensor.name in names:
            tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(names[tensor.name], dtype=np.float32), tensor.name))
    onnx.save(model, path)


def read_dense(path):
    model, layers, _ = read(path)
    if any(op not in ACTIVATIONS and op != "Gemm" for op, _, _ in layers):
        raise ValueError("not a chain of dense layers")
    return model, layers


def wanda(job, rows):
    """|w_oi| ‖x_i‖, the same share of every row (Sun, Liu, Bair, Kolter 2023); x as the network pruned so far gives it."""
    model, layers = read_dense(job["model"])
    weights = sum(a[0].size for op, _, a in layers if op == "Gemm")
    total = count(layers)
    share = max(0.0, (job["share"] * total - (total - weights)) / weights)  # biases stay
    x = rows
    for op, _, arrays in layers:
        if op != "Gemm":
            x = ACTIVATIONS[op](x)
            continue
        w = arrays[0]
        score = np.abs(w) * np.sqrt(np.sum(np.square(x), axis=0))
        drop = int((1 - share) * w.shape[1])
        least = np.argpartition(score, drop - 1, axis=1)[:, :drop] if drop > 0 else np.empty((len(w), 0), int)
        np.put_along_axis(w, least, 0, axis=1)
        x = x @ w.T + arrays[1]
    write_dense(model, layers, job["out"])
    left = sum(np.count_nonzero(a[0]) + a[1].size for op, _, a in layers if op == "Gemm")
    return left / total


def kept_widths(dense, share):
    """The same share of every hidden layer's neurons: as many as fit. dense: weights (out, in) and bias of each layer."""
    total = sum(len(w) * (w.shape[1] + 1) for w, _ in dense)
    for step in range(1000, 0, -1):
        widths = [max(1, int(len(w) * step / 1000)) for w, _ in dense[:-1]] + [len(dense[-1][0])]
        reads = [dense[0][0].shape[1]] + widths[:-1]
        left = sum(o * i + o for o, i in zip(widths, reads))
        if left <= share * total:
            return widths, left / total
    raise ValueError("no widths so small")


def norm(job, _rows):
    """Neurons go by the L2 norm of their incoming weights, and nothing takes over."""
    model, layers = read_dense(job["model"])
    dense = [arrays for op, _, arrays in layers if op == "Gemm"]
    widths, left = kept_widths(dense, job["share"])
    for k, (w, b) in enumerate(dense[:-1]):
        keep = np.sort(np.argsort(-np.linalg.norm(w, axis=1), kind="stable")[: widths[k]])
        dense[k][0], dense[k][1] = w[keep], b[keep]
        dense[k + 1][0] = dense[k + 1][0][:, keep]
    write_dense(model, layers, job["out"])
    return left


# ---- torch ------------------------------------------------------------------------------------------------------------------

def module_of(op, attributes, arrays):
    if op == "Gemm":
        out = nn.Linear(arrays[0].shape[1], arrays[0].shape[0])
    elif op == "Conv":
        pads, shape = attributes.get("pads", [0, 0, 0, 0]), arrays[0].shape
        out = nn.Conv2d(shape[1], shape[0], shape[2:], stride=attributes.get("strides", [1, 1]), padding=pads[:2])
    elif op == "BatchNormalization":
        out = nn.BatchNorm2d(len(arrays[0]), eps=attributes.get("epsilon", 1e-5))
        out.running_mean.data, out.running_var.data = torch.from_numpy(arrays[2]), torch.from_numpy(arrays[3])
    else:
        plain = {"Relu": nn.ReLU, "Tanh": nn.Tanh, "Flatten": nn.Flatten}
        return nn.MaxPool2d(attributes["kernel_shape"], attributes.get("strides")) if op == "MaxPool" else plain[op]()
    out.weight.data, out.bias.data = torch.from_numpy(arrays[0].copy()), torch.from_numpy(arrays[1].copy())
    return out


def export(net, shape, path):
    net.eval()
    names = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": {"x": {0: "n"}, "y": {0: "n"}}}
    silent = io.StringIO()
    sys.stdout, spoken = silent, sys.stdout
    try:
        torch.onnx.export(net, torch.zeros(shape), path, opset_version=13, **names)
    finally:
        sys.stdout = spoken


def torch_read(job):
    _, layers, shape = read(job["model"])
    return layers, nn.Sequential(*[module_of(*layer) for layer in layers]), shape


def torch_unstructured(job, whole):
    layers, net, shape = torch_read(job)
    pruned = [m for m in net if isinstance(m, (nn.Linear, nn.Conv2d))]
    weights, total = sum(m.weight.numel() for m in pruned), count(layers)
    amount = min(1.0, total * (1 - job["share"]) / weights)  # biases stay
    if whole:
        prune.global_unstructured([(m, "weight") for m in pruned], pruning_method=prune.L1Unstructured, amount=amount)
    else:
        for m in pruned:
            prune.l1_unstructured(m, "weight", amount=amount)
    for m in pruned:
        prune.remove(m, "weight")
    export(net, shape, job["out"])
    return 1 - sum(int((m.weight == 0).sum()) for m in pruned) / total


def torch_structured(job, _rows):
    """ln_structured zeroes rows; the neurons are taken out here, their constant outputs added to the next bias: exact."""
    _, net, shape = torch_read(job)
    if any(isinstance(m, nn.Conv2d) for m in net):
        raise ValueError("not a chain of dense layers")
    dense = [m for m in net if isinstance(m, nn.Linear)]
    after = {id(m): net[i + 1] for i, m in enumerate(net) if i + 1 < len(net)}
    widths, left = kept_widths([(m.weight, m.bias) for m in dense], job["share"])
    for k, m in enumerate(dense[:-1]):
        prune.ln_structured(m, "weight", amount=len(m.weight) - widths[k], n=2, dim=0)
        keep = m.weight_mask[:, 0] != 0
        prune.remove(m, "weight")
        follow = dense[k + 1]
        with torch.no_grad():
            follow.bias.data = follow.bias + follow.weight[:, ~keep] @ after[id(m)](m.bias[~keep])
            follow.weight.data = follow.weight[:, keep]
            m.weight.data, m.bias.data = m.weight[keep], m.bias[keep]
    export(net, shape, job["out"])
    return left


PEERS = {
    "torch l1 unstructured": lambda job, _: torch_unstructured(job, False),
    "torch l1 global": lambda job, _: torch_unstructured(job, True),
    "torch ln structured": torch_structured,
    "numpy Wanda": wanda,
    "numpy norm": norm,
}


# ---- jobs -------------------------------------------------------------------------------------------------------------------

def largest_memory():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def run(job):
    rows = np.fromfile(job["rows"], dtype=np.float32).reshape(-1, job["features"]) if job["rows"] else None
    start = time.perf_counter()
    while time.perf_counter() - start < WARM:
        PEERS[PEER](job, rows)
    with open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")  # the largest so far is forgotten
    seconds, wall = [], []
    for _ in range(job["repeat"]):
        start, clock = time.process_time(), time.perf_counter()
        retained = PEERS[PEER](job, rows)
        seconds.append(time.process_time() - start)
        wall.append(time.perf_counter() - clock)
    return {"seconds": float(np.median(seconds)), "wall": float(np.median(wall)), "memory": largest_memory(), "retained": float(retained)}


for text in sys.stdin:
    try:
        answer = run(json.loads(text))
    except Exception as error:  # a peer that cannot do a job says so
        answer = {"failed": f"{type(error).__name__}: {error}"[:200]}
    print(json.dumps(answer), flush=True)
