"""Runs a program of Python tests for ctest: run.py FILE [CLASS ...]. Exit 77, which ctest shows as skipped, when not one of its
tests ran; 1 when one failed; 0 else. By hand a file may as well be run alone.
"""
import importlib.util
import pathlib
import signal
import sys
import unittest

SKIPPED = 77


def load(path):
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(path, names):
    try:
        module = load(pathlib.Path(path).resolve())
    except SystemExit as end:  # a file that finds its peer missing says so and ends
        return end.code or SKIPPED
    except unittest.SkipTest as reason:
        print(reason)
        return SKIPPED
    # ctest ends what takes too long: the tests' own cleaning up stops the servers that they started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    suite = unittest.main(module=module, argv=[path, *names], verbosity=2, exit=False).result
    if not suite.wasSuccessful():
        return 1
    # One that is skipped as a whole class or module counts as no test that ran.
    return 0 if suite.testsRun > sum(isinstance(test, unittest.TestCase) for test, _ in suite.skipped) else SKIPPED


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    status = run(sys.argv[1], sys.argv[2:])
    sys.stdout.flush()
    sys.exit(status)
