"""Prints one line a case, and counts."""

import contextlib
import sys
import threading
import traceback


class Report:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        # Scenarios may run side by side.
        self.counting = threading.Lock()

    def title(self, text):
        print(f"\n== {text}", flush=True)

    def note(self, text):
        print(f"   ({text})", flush=True)

    def module(self, module):
        """Runs a module; what breaks outside of its cases is a failed case, too."""
        try:
            module.run(self)
        except Exception as error:
            self.broken(f"{module.__name__} as a whole", error)

    @contextlib.contextmanager
    def case(self, name):
        """A case; what it `says` is printed behind its name. An exception fails it, and the next one begins."""
        said = []
        try:
            yield said.append
        except Exception as error:
            self.broken(name, error)
        else:
            with self.counting:
                self.passed += 1
            print(f"ok  {name} — {'; '.join(said)}", flush=True)

    def broken(self, name, error):
        """Counts and prints a failure."""
        with self.counting:
            self.failed += 1
        print(f"FAILED  {name} — {error}", flush=True)
        if not isinstance(error, AssertionError):
            traceback.print_exc(file=sys.stdout)

    def end(self):
        print(f"\n{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)
