"""The comparisons see what differs: each is shown the same, then something wrong."""
import unittest

import answers

try:
    import numpy
    import pandas
except ImportError:
    pandas = None


class Close(unittest.TestCase):
    def test_sees_a_difference(self):
        self.assertEqual(answers.close("x", [[1.0, 2.0]], [[1.0, 2.00001]], 1e-4), "")
        self.assertIn("differ", answers.close("x", [[1.0, 2.0]], [[1.0, 2.001]], 1e-4))
        self.assertIn("differ", answers.close("x", [1.0], [float("nan")], 1e-4))
        self.assertIn("numbers", answers.close("x", [1.0], [1.0, 2.0], 1e-4))
        self.assertIn("numbers", answers.close("x", [], [], 1e-4))


@unittest.skipUnless(pandas, "pandas is not installed")
class Tables(unittest.TestCase):
    def test_sees_a_number_and_a_missing_value(self):
        a = pandas.DataFrame({"x": [1.0, None, 3.0]})
        self.assertEqual(answers.same_tables(a, a.copy(), ["x"], 1e-9), "")
        self.assertIn("row 2", answers.same_tables(a, pandas.DataFrame({"x": [1.0, None, 3.001]}), ["x"], 1e-9))
        self.assertIn("missing", answers.same_tables(a, pandas.DataFrame({"x": [1.0, 2.0, 3.0]}), ["x"], 1e-9))
        self.assertIn("missing", answers.same_tables(a, pandas.DataFrame({"y": [1.0]}), ["x"], 1e-9))
        self.assertIn("rows", answers.same_tables(a, a[:2], ["x"], 1e-9))

    def test_sees_another_distribution(self):
        random = numpy.random.default_rng(1)

        def draw(shift=0.0, share=0.3, null=0.1, dependence=0.6):
            x = random.normal(size=8000)
            y = dependence * x + random.normal(size=8000) + shift
            y[random.random(8000) < null] = numpy.nan
            return pandas.DataFrame({"x": x, "y": y, "c": numpy.where(random.random(8000) < share, "가", "b")})

        self.assertEqual(answers.same_distribution(draw(), draw()), "")
        for wrong in ({"shift": 0.2}, {"share": 0.4}, {"null": 0.2}, {"dependence": 0.0}):
            self.assertNotEqual(answers.same_distribution(draw(), draw(**wrong)), "", wrong)
        self.assertNotEqual(answers.same_distribution(draw(), draw()[["x", "c", "y"]]), "")


if __name__ == "__main__":
    unittest.main()
