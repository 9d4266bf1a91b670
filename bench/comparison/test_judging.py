"""How numbers are judged: `python3 -m unittest discover --start-directory bench`."""

import tempfile
import unittest
from pathlib import Path

from comparison import goals, in_process, report, rounds
from comparison.goals import Goal, Spread
from comparison.quiet import Moment, idle_seconds
from comparison.rounds import Results


def a_goal(at_most: bool) -> Goal:
    goal, stretch = (1.15, 1.0) if at_most else (0.6, 0.7)
    value = goals.ratio("cpu_us", "securecall", "epoll-relay")
    return Goal("a ratio", goal, stretch, at_most, "wake_ups", value)


class Quiet(unittest.TestCase):
    def test_what_the_cores_did_and_we_did_not_is_what_others_did(self):
        before = Moment(clock=100.0, idle=50.0, own=7.0)
        after = Moment(clock=110.0, idle=54.0, own=20.0)
        # 2 cores × 10 s − 4 s idle − 13 s of ours = 3 s.
        self.assertAlmostEqual(after.others_since(before, cores=2), 0.3)

    def test_waiting_for_a_disk_is_idle(self):
        self.assertEqual(idle_seconds("cpu  1 2 3 400 100 5 6 7 0 0\ncpu0 …"), 5.0)


class Judging(unittest.TestCase):
    def test_ratios_are_taken_within_a_round(self):
        def round_(ours, theirs):
            return {"securecall": {"cpu_us": ours}, "epoll-relay": {"cpu_us": theirs}}

        results = Results(rounds=[round_(10, 10), round_(40, 20), round_(33, 30)])
        measured = a_goal(at_most=True).measured({"wake_ups": results})
        self.assertEqual(measured, Spread(1.1, 1.0, 2.0))

    def test_a_round_without_one_of_the_two_does_not_count(self):
        results = Results(rounds=[{"securecall": {"cpu_us": 1.0}}])
        self.assertIsNone(a_goal(at_most=True).measured({"wake_ups": results}))

    def test_a_goal_is_missed_reached_or_exceeded(self):
        for at_most, values in ((True, (1.16, 1.15, 1.0)), (False, (0.59, 0.6, 0.7))):
            verdicts = [a_goal(at_most).verdict(Spread(v, v, v)) for v in values]
            self.assertEqual(verdicts, ["**missed**", "goal", "stretch"])

    def test_nobody_is_always_the_first(self):
        turns = [rounds.rotated(["a", "b", "c"], turn) for turn in range(4)]
        self.assertEqual([turn[0] for turn in turns], ["a", "b", "c", "a"])


class Writing(unittest.TestCase):
    def test_what_stands_around_the_section_is_left_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "performance.md"
            path.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
            report.replace_section(path, "new")
            report.replace_section(path, "newer")
            text = path.read_text()
        self.assertEqual(text, f"before\n{report.BEGIN}\n\nnewer\n{report.END}\nafter\n")

    def test_what_was_not_measured_says_so(self):
        row = report.goal_row(a_goal(at_most=True), {})
        self.assertIn("not measured", row)

    def test_numbers_have_three_digits(self):
        numbers = [report.number(value) for value in (0.123, 1.15, 12.345, 123.4, 1_234_567.0)]
        self.assertEqual(numbers, ["0.12", "1.15", "12.3", "123", "1,234,567"])


class Reading(unittest.TestCase):
    def test_the_medians_of_a_benchmark_are_found(self):
        table = """
population             fastest       │ slowest       │ median        │ mean          │ samples
├─ register_and_leave                │               │               │               │
│  ├─ 1000             335 ns        │ 12.5 µs       │ 344.7 ns      │ 1.122 µs      │ 100
│  ╰─ 100000           496.9 ns      │ 16.87 µs      │ 2 µs          │ 2.336 µs      │ 100
╰─ relay_candidate                   │               │               │               │
   ╰─ 1000             281.1 ns      │ 20.4 µs       │ 1.5 ms        │ 1.228 µs      │ 100
"""
        expected = {"register_and_leave": {1000: 0.3447, 100_000: 2.0},
                    "relay_candidate": {1000: 1500.0}}
        self.assertEqual(in_process.medians(table), expected)


if __name__ == "__main__":
    unittest.main()
