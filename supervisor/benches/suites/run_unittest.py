"""Runs one module of CPython's own tests and prints a line for each test: a mark, its id and how it ended."""
import importlib
import os
import sys
import unittest

# What a test may need besides the interpreter: time and processes, and a network, which all but one of them take the
# loopback device for.
RESOURCES = ["cpu", "decimal", "network", "subprocess", "tzdata", "walltime"]
# Tests that ask somebody outside: a name server, and the hypervisor, which may never answer.
LEFT_OUT = [
    "test.test_socket.GeneralModuleTests.test_idna",
    "test.test_socket.ThreadedVSOCKSocketStreamTest.testStream",
]


# Begins the lines that say how a test has ended.
MARK = "::"


class Recorder(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Standard output, before a test redirects it: what a simulated program writes to files stays there.
        self.record = os.fdopen(os.dup(1), "w", buffering=1)

    def note(self, test, status):
        # A line of its own, whatever tests have written.
        self.record.write(f"\n{MARK} {test.id().replace(' ', '_')} {status}\n")

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note(test, "pass")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.note(test, "pass")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skip")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, "fail")

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, "fail")


def without(suite, left_out):
    """The tests of a suite but those left out by id."""
    kept = unittest.TestSuite()
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            kept.addTest(without(test, left_out))
        elif test.id() not in left_out:
            kept.addTest(test)
    return kept


def main():
    from test import support

    support.verbose = False
    support.use_resources = RESOURCES
    module = importlib.import_module("test." + sys.argv[1])
    loader, names = unittest.defaultTestLoader, sys.argv[2:]
    suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    suite = without(suite, os.environ.get("SUITE_LEAVE_OUT", "").split(",") + LEFT_OUT)
    unittest.TextTestRunner(stream=sys.stderr, verbosity=2, resultclass=Recorder).run(suite)


if __name__ == "__main__":
    main()
