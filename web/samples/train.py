#!/usr/bin/python3
"""Trains the three bundled samples and writes NAME.onnx, NAME.csv and samples.json beside this file.

Needs Debian's python3-torch and python3-sklearn (for the UCI digits that it ships). Seeded and single-threaded, so that
two runs on one machine give the same files. Takes a minute or two.

Each CSV holds test rows the network never saw: the inputs first, the labels in the last columns.
"""

import json
import sys
from pathlib import Path

import numpy
import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests/bench/paper"))
from systems import glycolysis_rate, runge_kutta  # noqa: E402  the experiment's own

SEED = 7


def chain(widths, activation):
    """Dense layers of these widths with an activation between."""
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(inputs, outputs), activation()]
    return torch.nn.Sequential(*layers[:-1])


def fit(network, loss, x, y, epochs, batch=256, rate=3e-3, decay=0.0, jitter=0.0):
    """Adam with a cosine schedule; `jitter` is the deviation of noise added to the inputs."""
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    steps = epochs * -(-len(x) // batch)
    optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            seen = x[rows] + jitter * torch.randn_like(x[rows]) if jitter else x[rows]
            loss(network(seen), y[rows]).backward()
            optimizer.step()
            schedule.step()


def predict(network, x):
    with torch.no_grad():
        return network(torch.as_tensor(x)).numpy()


def standardise(values, reference):
    return ((values - reference.mean(axis=0)) / reference.std(axis=0)).astype(numpy.float32)


def split(x, y, test_share=0.2):
    """Standardised training and test rows; mean and deviation come from the training rows."""
    count = int(len(x) * (1 - test_share))
    return [
        (standardise(x[rows], x[:count]), standardise(y[rows], y[:count]))
        for rows in (slice(0, count), slice(count, None))
    ]


# ---- yeast glycolysis ------------------------------------------------------------------------------------------------


def glycolysis():
    low = numpy.array([0.15, 0.19, 0.04, 0.1, 0.08, 0.14, 0.05])
    high = numpy.array([1.6, 2.16, 0.2, 0.35, 0.3, 2.67, 0.1])
    x = numpy.random.default_rng(SEED).uniform(low, high, (20000, 7))
    y = runge_kutta(glycolysis_rate, x, 0.001, 100)
    train, test = split(x, y)
    network = chain([7, 64, 64, 7], torch.nn.Tanh)
    fit(network, torch.nn.functional.mse_loss, *train, epochs=250)
    species = ["S1", "S2", "S3", "S4", "S5", "S6", "S7"]
    return {
        "id": "glycolysis",
        "title": "Yeast glycolysis",
        "sentence": "Seven concentrations in a yeast cell now, the same seven 0.1 minutes later: a tanh 64-64 network that stands in "
        "for the Wolf-Heinrich differential equations.",
        "network": network,
        "rows": test[0],
        "labels": test[1],
        "names": species + [f"{name} later" for name in species],
        "format": "%.5f",
        "kept": 1400,
    }


# ---- a ball in flight ------------------------------------------------------------------------------------------------


def ball_rate(state, drag, wind):
    """A thrown ball with quadratic drag. state (rows, 4): x, height, and their speeds. A ball that has landed rests."""
    vx, vy = state[:, 2] - wind, state[:, 3]
    pull = drag * numpy.hypot(vx, vy)
    rates = numpy.stack([state[:, 2], state[:, 3], -pull * vx, -9.81 - pull * vy], axis=1)
    return numpy.where(state[:, 1:2] < 0, 0, rates)


def flight(speed, angle, height, mass, diameter, roughness, air, wind):
    """Distance (m) and time (s) until the ball lands: RK4 at 10 ms, the last step interpolated."""
    drag = 0.5 * air * roughness * numpy.pi * (diameter / 2) ** 2 / mass
    start = numpy.stack([0 * speed, height, speed * numpy.cos(angle), speed * numpy.sin(angle)], axis=1)
    distance, time = numpy.zeros_like(speed), numpy.zeros_like(speed)
    state, step = start, 0.01
    for count in range(1, 2000):
        later = runge_kutta(lambda s: ball_rate(s, drag, wind), state, step, 1)
        lands = (state[:, 1] >= 0) & (later[:, 1] < 0)
        part = numpy.where(lands, state[:, 1] / numpy.where(lands, state[:, 1] - later[:, 1], 1), 0)
        distance = numpy.where(lands, state[:, 0] + part * (later[:, 0] - state[:, 0]), distance)
        time = numpy.where(lands, (count - 1 + part) * step, time)
        state = later
        if (state[:, 1] < 0).all():
            break
    return numpy.stack([distance, time], axis=1)


def ball():
    draw = numpy.random.default_rng(SEED).uniform
    rows = 12000
    x = numpy.stack(
        [
            draw(5, 35, rows),  # m/s
            numpy.radians(draw(10, 75, rows)),
            draw(0, 3, rows),  # m
            draw(0.05, 0.6, rows),  # kg
            draw(0.04, 0.24, rows),  # m
            draw(0.2, 0.5, rows),  # drag coefficient
            draw(0.9, 1.3, rows),  # kg/m3
            draw(-8, 8, rows),  # m/s, from behind
        ],
        axis=1,
    )
    train, test = split(x, flight(*x.T))
    network = chain([8, 128, 64, 2], torch.nn.ReLU)
    fit(network, torch.nn.functional.mse_loss, *train, epochs=200)
    return {
        "id": "ball",
        "title": "A ball's flight",
        "sentence": "How far a thrown ball flies and for how long, from its speed, angle, height, weight, size, drag, air and wind: "
        "a ReLU 128-64 regression on simulated throws.",
        "network": network,
        "rows": test[0],
        "labels": test[1],
        "names": ["speed", "angle", "height", "mass", "diameter", "drag", "air density", "wind", "distance", "time"],
        "format": "%.5f",
        "kept": 2000,
    }


# ---- handwritten digits ----------------------------------------------------------------------------------------------


def digits():
    from sklearn.datasets import load_digits

    source = load_digits()
    order = numpy.random.default_rng(SEED).permutation(len(source.data))
    x, y = (source.data[order] / 16).astype(numpy.float32), source.target[order]
    count = 1347  # of 1,797
    network = chain([64, 128, 64, 10], torch.nn.ReLU)
    # jitter: 98.8 % against 97.8 % without, four-fold over the training rows
    fit(network, torch.nn.functional.cross_entropy, x[:count], y[:count], 100, batch=64, rate=4e-3, decay=0.02, jitter=0.1)
    return {
        "id": "digits",
        "title": "Handwritten digits",
        "sentence": "Which digit an 8×8 picture shows: a ReLU 128-64 classifier trained on the UCI handwritten digits.",
        "network": network,
        "rows": x[count:],
        "labels": y[count:, None],
        "names": [f"pixel {row}.{column}" for row in range(8) for column in range(8)] + ["digit"],
        "format": "%.6g",
        "kept": 450,
    }


# ---- files -----------------------------------------------------------------------------------------------------------

EPSILON = {"glycolysis": 0.01, "ball": 0.02, "digits": 0.1}


def figure(outputs, labels):
    if outputs.shape[1] != labels.shape[1]:
        return f"Test accuracy {100 * (outputs.argmax(axis=1) == labels[:, 0]).mean():.1f} %"
    return f"Test MSE {((outputs - labels) ** 2).mean():.4f}"


def write(sample):
    network, rows, labels, name = sample["network"].eval(), sample["rows"], sample["labels"], sample["id"]
    torch.onnx.export(
        network,
        torch.as_tensor(rows[:1]),
        str(HERE / f"{name}.onnx"),
        input_names=["input"],
        output_names=["output"],
        dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
        opset_version=13,
    )
    kept = slice(0, sample["kept"])
    numpy.savetxt(
        HERE / f"{name}.csv",
        numpy.hstack([rows[kept], labels[kept]]),
        fmt=sample["format"],
        delimiter=",",
        header=",".join(sample["names"]),
        comments="",
    )
    return {
        "id": name,
        "title": sample["title"],
        "sentence": f"{sample['sentence']} {figure(predict(network, rows), labels)}.",
        "model": f"{name}.onnx",
        "data": f"{name}.csv",
        "labels": labels.shape[1],
        "bytes": (HERE / f"{name}.onnx").stat().st_size,
        "epsilon": EPSILON[name],
    }


def main():
    torch.set_num_threads(1)
    samples = []
    for make in (glycolysis, digits, ball):
        torch.manual_seed(SEED)
        samples.append(write(make()))
        print(samples[-1], flush=True)
    (HERE / "samples.json").write_text(json.dumps(samples, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
