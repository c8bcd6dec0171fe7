"""What a fork server imports before it forks, and whether a fork of it is what a fresh process would have been."""

import importlib
import os
import sys
import sysconfig
import threading


def preload(packages, names):
    """Imports what it can. What the imports looked at in the environment and which modules came is told."""
    # It asks for HOME; what it made of it is mended in each process that is forked.
    sysconfig.get_config_vars()
    before, open_before, path = set(sys.modules), descriptors(), list(sys.path)
    if packages:
        sys.path.insert(0, packages)
    with RecordedEnvironment() as looks:
        for name in names:
            import_if_possible(name)
    sys.path[:] = path
    modules = {name.partition(".")[0] for name in set(sys.modules) - before}
    return {
        "looks": sorted(looks),
        "modules": sorted(modules),
        "standard": sorted(sys.stdlib_module_names),
        "unfit": unfit(open_before),
    }


def import_if_possible(name):
    if name.partition(".")[0] in sys.stdlib_module_names:
        return
    try:
        importlib.import_module(name)
    except BaseException:
        # The author's file will meet it, too, and tell.
        pass


def unfit(open_before):
    """Why processes must not be forked: threads do not live on in a fork, and descriptors are closed in it."""
    if threading.active_count() > 1 or count_in("/proc/self/task") > 1:
        return "an import began a thread"
    if descriptors() - open_before:
        return "an import opened a file or a connection"
    return None


def descriptors():
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    listed = {int(name) for name in os.listdir(folder)}
    return {descriptor for descriptor in listed if is_open(descriptor)}


def is_open(descriptor):
    """The one that the listing itself used is in the list."""
    try:
        os.fstat(descriptor)
        return True
    except OSError:
        return False


def count_in(folder):
    try:
        return len(os.listdir(folder))
    except OSError:
        return 0


class RecordedEnvironment:
    """While it is entered, os.environ writes down the names that are looked at; `*` when all are."""

    def __enter__(self):
        looks = set()
        self._class = type(os.environ)

        class Recording(self._class):
            def __getitem__(self, name):
                looks.add(name)
                return super().__getitem__(name)

            def __iter__(self):
                looks.add("*")
                return super().__iter__()

            def copy(self):
                looks.add("*")
                return super().copy()

        os.environ.__class__ = Recording
        return looks

    def __exit__(self, *_):
        os.environ.__class__ = self._class
