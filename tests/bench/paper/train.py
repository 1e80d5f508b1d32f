#!/usr/bin/python3
"""Trains the experiment's networks: train.py FOLDER/SYSTEM_NETWORK.onnx...

For example build/paper/glycolysis_tanh_64-64.onnx; any widths and any of the activations below. Seeded and single-threaded,
so that two runs on one machine give the same files.
"""

import sys
from pathlib import Path

import torch

import systems


class Square(torch.nn.Module):
    def forward(self, z):
        return z * z


ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "square": Square}
USUAL = {"epochs": 60, "rate": 3e-3, "clip": None}
SETTINGS = {"tanh": USUAL, "relu": USUAL, "square": {"epochs": 60, "rate": 1e-2, "clip": 0.5}}


def chain(inputs, network, outputs):
    """Dense layers with an activation between. A square's gradient grows with its input, so it starts small."""
    activation, hidden = network.split("_")
    widths = [inputs, *map(int, hidden.split("-")), outputs]
    layers = []
    for before, after in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(before, after), ACTIVATIONS[activation]()]
    if activation == "square":
        for layer in layers[::2]:
            torch.nn.init.normal_(layer.weight, std=0.5 / layer.in_features**0.5)
    return torch.nn.Sequential(*layers[:-1])


def fit(network, x, y, epochs, rate, clip, batch=256):
    """Adam with a one-cycle schedule on the mean squared error."""
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    optimizer = torch.optim.Adam(network.parameters(), rate)
    steps = epochs * -(-len(x) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(network(x[rows]), y[rows]).backward()
            if clip:
                torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
            optimizer.step()
            schedule.step()


def test_error(network, x, y):
    with torch.no_grad():
        return float(((network(torch.as_tensor(x)).numpy() - y) ** 2).mean())


def write_onnx(network, inputs, file):
    torch.onnx.export(
        network.eval(),
        torch.zeros(1, inputs),
        str(file),
        input_names=["input"],
        output_names=["output"],
        dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
        opset_version=13,
    )


def train(file):
    system_name, network_name = file.stem.split("_", 1)
    seen, unseen = systems.standardised(systems.SYSTEMS[system_name])
    torch.manual_seed(systems.SEED)
    network = chain(seen[0].shape[1], network_name, seen[1].shape[1])
    fit(network, *seen, **SETTINGS[network_name.split("_")[0]])
    write_onnx(network, seen[0].shape[1], file)
    print(f"{file.stem}: MSE {test_error(network, *seen):.2e} on the training rows, {test_error(network, *unseen):.2e} on the test rows", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:]:
        train(Path(name))
