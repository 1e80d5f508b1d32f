"""The four dynamical systems of the experiment, and the rows a network learns from.

A network learns the map from a random state (and inputs) to the state a while later. The paper (arXiv 2606.01402) names
the four systems but not their parameters, so these are standard models with our parameters, written down below so that
anybody can repeat them. Numpy alone; every rate takes states of shape (rows, species).

systems.py FOLDER/SYSTEM_test.csv... writes the rows no network was trained on.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy

ROWS = 20000
TEST_SHARE = 0.2
SEED = 7


@dataclass(frozen=True)
class System:
    name: str
    title: str
    species: list[str]
    low: numpy.ndarray  # of the starting state, uniform
    high: numpy.ndarray
    rate: Callable[[numpy.ndarray], numpy.ndarray]
    step: float  # of RK4
    steps: int
    outputs: slice  # which of the states a network predicts

    @property
    def labels(self):
        return [f"{name} later" for name in self.species[self.outputs]]


def runge_kutta(rate, state, step, steps):
    """The classical fourth-order method: Kutta (1901)."""
    for _ in range(steps):
        k1 = rate(state)
        k2 = rate(state + step / 2 * k1)
        k3 = rate(state + step / 2 * k2)
        k4 = rate(state + step * k3)
        state = state + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return state


# ---- two-site reaction network -----------------------------------------------------------------------------------------
# The running example of the papers on ERODE (Cardelli, Tribastone, Tschaikowski, Vandin): A is phosphorylated reversibly
# and binds B. Conserved: B + AuB + ApB and Au + Ap + AuB + ApB. Forward equivalent: {Au, Ap}, {AuB, ApB}, {B}.

REACTION_RATES = (1.0, 2.0, 3.0, 4.0)


def reaction_rate(state):
    r1, r2, r3, r4 = REACTION_RATES
    au, ap, b, aub, apb = state.T
    flip, bind_u, bind_p = r1 * au - r2 * ap, r3 * au * b - r4 * aub, r3 * ap * b - r4 * apb
    return numpy.stack([-flip - bind_u, flip - bind_p, -bind_u - bind_p, bind_u, bind_p], axis=1)


# ---- H-tree RC clock network -------------------------------------------------------------------------------------------
# Elmore (1948): C_i v_i' = (v_parent - v_i) / R_i - sum over children (v_i - v_c) / R_c. A binary tree of depth 4, node i's
# parent is (i - 1) // 2, the root's is the source. Each level's wires are half as wide as the last's are long: R grows and C
# falls by sqrt(2) a level. 5 % tolerance makes the equal branches approximately, not exactly, equivalent.

TREE_NODES = 15


def tree_elements():
    """R and C of each node, (15,) each."""
    level = numpy.floor(numpy.log2(numpy.arange(TREE_NODES) + 1))
    tolerance = numpy.random.default_rng(SEED).uniform(0.95, 1.05, (2, TREE_NODES))
    return 2 ** (level / 2) * tolerance[0], 0.2 * 2 ** (-level / 2) * tolerance[1]


def tree_rate(state):
    resistance, capacity = tree_elements()
    v, source = state[:, :TREE_NODES], state[:, TREE_NODES:]
    parent = (numpy.arange(1, TREE_NODES) - 1) // 2
    above = numpy.hstack([source, v[:, parent]])
    current = (above - v) / resistance  # into each node from above, (rows, 15)
    into = current.copy()
    for child in range(1, TREE_NODES):
        into[:, parent[child - 1]] -= current[:, child]
    return numpy.hstack([into / capacity, 0 * source])


# ---- reversible polymerization -----------------------------------------------------------------------------------------
# Stepwise growth of chains P_1 ... P_8 by a monomer M, and back: Flory's kinetics with P_8 not growing.
# Conserved: M + sum n P_n and sum P_n.

LONGEST = 8
GROWTH, DECAY = 1.5, 0.3


def polymer_rate(state):
    monomer, chains = state[:, :1], state[:, 1:]
    forth = GROWTH * monomer * chains[:, :-1]  # P_n + M -> P_n+1, (rows, 7)
    back = DECAY * chains[:, 1:]
    net = forth - back
    none = numpy.zeros_like(monomer)
    return numpy.hstack([-net.sum(axis=1, keepdims=True), numpy.hstack([none, net]) - numpy.hstack([net, none])])


# ---- yeast glycolysis --------------------------------------------------------------------------------------------------
# The seven-species oscillator of Wolf & Heinrich (2000) and Ruoff et al. (2003), with the parameters commonly used in
# inference benchmarks (Daniels & Nemenman 2015); mM and minutes.


def glycolysis_rate(state):
    j0, k1, k2, k3, k4, k5, k6, k, kappa = 2.5, 100, 6, 16, 100, 1.28, 12, 1.8, 13
    q, half, psi, total_n, total_a = 4, 0.52, 0.1, 1, 4
    s1, s2, s3, s4, s5, s6, s7 = state.T
    v1 = k1 * s1 * s6 / (1 + (s6 / half) ** q)
    v2 = k2 * s2 * (total_n - s5)
    v3 = k3 * s3 * (total_a - s6)
    v4 = k4 * s4 * s5
    v6 = k6 * s2 * s5
    leak = kappa * (s4 - s7)
    rates = [j0 - v1, 2 * v1 - v2 - v6, v2 - v3, v3 - v4 - leak, v2 - v4 - v6, -2 * v1 + 2 * v3 - k5 * s6, psi * leak - k * s7]
    return numpy.stack(rates, axis=1)


# ---- all four ----------------------------------------------------------------------------------------------------------


def numbers(*values):
    return numpy.array(values, dtype=float)


SYSTEMS = {
    system.name: system
    for system in (
        System(
            "reaction", "Reaction network", ["Au", "Ap", "B", "AuB", "ApB"],
            numpy.zeros(5), numpy.ones(5), reaction_rate, 0.005, 100, slice(None),
        ),
        System(
            "htree", "H-tree RC circuit", [f"v{i}" for i in range(TREE_NODES)] + ["source"],
            numpy.zeros(16), numpy.append(numpy.ones(15), 2.0), tree_rate, 0.002, 150, slice(7, 15),
        ),
        System(
            "polymerization", "Polymerization", ["M"] + [f"P{n}" for n in range(1, LONGEST + 1)],
            numpy.append(0.5, numpy.zeros(8)), numbers(2, 1, *[0.2] * 7), polymer_rate, 0.01, 100, slice(None),
        ),
        System(
            "glycolysis", "Glycolytic oscillator", [f"S{i}" for i in range(1, 8)],
            numbers(0.15, 0.19, 0.04, 0.1, 0.08, 0.14, 0.05), numbers(1.6, 2.16, 0.2, 0.35, 0.3, 2.67, 0.1),
            glycolysis_rate, 0.001, 100, slice(None),
        ),
    )
}


def sample(system, rows=ROWS, seed=SEED):
    """Random states and what they become: (rows, inputs), (rows, outputs)."""
    start = numpy.random.default_rng(seed).uniform(system.low, system.high, (rows, len(system.low)))
    return start, runge_kutta(system.rate, start, system.step, system.steps)[:, system.outputs]


def standardised(system, rows=ROWS, seed=SEED):
    """((x, y) to train on, (x, y) to test on); mean and deviation come from the training rows."""
    pairs = sample(system, rows, seed)
    count = round(rows * (1 - TEST_SHARE))
    scaled = [((values - values[:count].mean(axis=0)) / values[:count].std(axis=0)).astype(numpy.float32) for values in pairs]
    return tuple(values[:count] for values in scaled), tuple(values[count:] for values in scaled)


def write_test_rows(file):
    """The standardised test rows of the system that FOLDER/SYSTEM_test.csv names: inputs, then outputs."""
    system = SYSTEMS[Path(file).stem.removesuffix("_test")]
    _, (x, y) = standardised(system)
    header = ",".join(system.species + system.labels)
    numpy.savetxt(file, numpy.hstack([x, y]), fmt="%.9g", delimiter=",", header=header, comments="")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write_test_rows(name)
