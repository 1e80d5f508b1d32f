#!/usr/bin/python3
"""What the four systems must keep, whatever their parameters: systems_test.py"""

import unittest

import numpy

import systems

RK4_ERROR = 1e-9


def run(name, start):
    system = systems.SYSTEMS[name]
    return systems.runge_kutta(system.rate, start, system.step, system.steps)


def starts(name, rows=200):
    system = systems.SYSTEMS[name]
    return numpy.random.default_rng(1).uniform(system.low, system.high, (rows, len(system.low)))


class Systems(unittest.TestCase):
    def assert_close(self, a, b, within=RK4_ERROR):
        self.assertLess(abs(a - b).max(), within)

    def test_every_system_stays_finite_and_matches_half_the_step(self):
        for name, system in systems.SYSTEMS.items():
            start = starts(name)
            fine = systems.runge_kutta(system.rate, start, system.step / 2, 2 * system.steps)
            self.assertTrue(numpy.isfinite(fine).all(), name)
            self.assert_close(run(name, start), fine, 1e-5 if name == "glycolysis" else 1e-8)

    def test_concentrations_stay_positive(self):
        for name in ("reaction", "polymerization", "glycolysis"):
            self.assertGreaterEqual(run(name, starts(name)).min(), 0, name)

    def test_reaction_keeps_all_of_a_and_all_of_b(self):
        start = starts("reaction")
        later = run("reaction", start)
        for kept in ([0, 1, 3, 4], [2, 3, 4]):
            self.assert_close(start[:, kept].sum(axis=1), later[:, kept].sum(axis=1))

    def test_reaction_is_forward_equivalent_under_phosphorylation(self):
        """{Au, Ap}, {AuB, ApB}, {B}: the sums of blocks later depend on the sums of blocks now alone."""
        start = starts("reaction")
        moved = start.copy()
        moved[:, [0, 3]] += 0.3 * start[:, [1, 4]]
        moved[:, [1, 4]] -= 0.3 * start[:, [1, 4]]
        blocks = lambda state: numpy.stack([state[:, [0, 1]].sum(axis=1), state[:, 2], state[:, [3, 4]].sum(axis=1)])
        later, other = run("reaction", start), run("reaction", moved)
        self.assert_close(blocks(later), blocks(other))
        self.assertGreater(abs(later - other).max(), 0.01)

    def test_polymerization_keeps_monomers_and_chains(self):
        start = starts("polymerization")
        later = run("polymerization", start)
        lengths = numpy.array([1, *range(1, systems.LONGEST + 1)])
        self.assert_close(start @ lengths, later @ lengths)
        self.assert_close(start[:, 1:].sum(axis=1), later[:, 1:].sum(axis=1))

    def test_a_polymer_of_two_lengths_follows_its_equations(self):
        """M = 2, P_1 = 1: P_2' = k_p M P_1 and nothing else moves but M and P_1."""
        rate = systems.polymer_rate(numpy.array([[2.0, 1.0] + [0.0] * 7]))[0]
        self.assert_close(rate, numpy.array([-3.0, -3.0, 3.0] + [0.0] * 6))

    def test_tree_rests_where_every_node_has_the_source_voltage(self):
        self.assert_close(systems.tree_rate(numpy.full((3, 16), 0.7)), 0)

    def test_tree_loses_charge_through_the_root_alone(self):
        """Kirchhoff: the capacitors together gain what flows in at the root."""
        resistance, capacity = systems.tree_elements()
        state = starts("htree")
        gained = systems.tree_rate(state)[:, :15] @ capacity
        self.assert_close(gained, (state[:, 15] - state[:, 0]) / resistance[0])

    def test_tree_is_linear(self):
        a, b = starts("htree"), starts("htree")[::-1]
        self.assert_close(run("htree", 0.3 * a + 0.7 * b), 0.3 * run("htree", a) + 0.7 * run("htree", b))

    def test_glycolysis_follows_its_equations(self):
        """By hand at S = (1, 1, 0.1, 0.2, 0.1, 0.52, 0.1): (S6 / K1)^q = 1, so v1 = 26."""
        rate = systems.glycolysis_rate(numpy.array([[1, 1, 0.1, 0.2, 0.1, 0.52, 0.1]]))[0]
        v3 = 16 * 0.1 * (4 - 0.52)
        expected = [2.5 - 26, 52 - 5.4 - 1.2, 5.4 - v3, v3 - 2 - 1.3, 5.4 - 2 - 1.2, -52 + 2 * v3 - 1.28 * 0.52, 0.13 - 0.18]
        self.assert_close(rate, numpy.array(expected))

    def test_rows_are_standardised_on_the_training_part(self):
        (x, y), (unseen, _) = systems.standardised(systems.SYSTEMS["reaction"], 1000)
        self.assertEqual((len(x), len(unseen)), (800, 200))
        for values in (x, y):
            self.assert_close(values.mean(axis=0), 0, 1e-5)
            self.assert_close(values.std(axis=0), 1, 1e-5)


if __name__ == "__main__":
    unittest.main()
