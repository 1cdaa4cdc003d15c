"""A small disk of the test's own, which can be filled up and made read-only; nobody else on the machine sees it."""

import ctypes
import os
import subprocess

NEW_NAMESPACE = 0x00020000


class SmallDisk:
    """A file system in memory. Use it in a `with`; only root may."""

    def __init__(self, folder, size):
        self.folder = folder
        self.size = size
        self.ballast = folder / "ballast"

    def __enter__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(NEW_NAMESPACE) != 0:
            raise OSError(ctypes.get_errno(), "no mount namespace of its own")
        _mount("--make-rprivate", "/")
        self.folder.mkdir(mode=0o700, exist_ok=True)
        _mount("-t", "tmpfs", "-o", f"size={self.size},mode=0700", "none", self.folder)
        return self

    def __exit__(self, *_):
        # Processes that are being stopped may still have files open there.
        subprocess.run(["umount", "--lazy", self.folder], check=True, stdin=subprocess.DEVNULL)

    def fill(self):
        """To the last page."""
        with open(self.ballast, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    def make_room(self):
        self.ballast.unlink()

    def read_only(self, yes=True):
        _mount("-o", "remount,ro" if yes else "remount,rw", self.folder)


def _mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL)


def is_possible():
    """Only root may mount. Where everything must be tried, that it cannot be is a failure."""
    if os.geteuid() == 0:
        return True
    if os.environ.get("CI") == "true":
        raise AssertionError("a small disk needs root")
    return False
