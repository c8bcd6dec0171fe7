"""Serves one file of an author's over HTTP on a unix domain socket, or forks processes that do. Standard library only,
so that it can run wherever the author's code runs.

    python3 python-runner.py

File descriptor 3 brings one line of JSON. The order (see RunnerOrder in launcher.ts) is answered with one line:
{"ready": true}, or {"error": "..."} when the file cannot be loaded. {"preload": ...} makes it a fork server instead;
see python/fork_server.py. The forms of a handler are in python/forms.py.
"""

import importlib.util
import os
import sys

NAME = "millrace_runner"


def find_ourselves():
    """What is beside this file is imported under one name that is ours, so that it cannot hide a module of others."""
    here = os.path.dirname(os.path.abspath(__file__))
    folder = os.path.join(here, "python")
    if sys.path and sys.path[0] == here:
        del sys.path[0]
    start = os.path.join(folder, "__init__.py")
    spec = importlib.util.spec_from_file_location(NAME, start, submodule_search_locations=[folder])
    sys.modules[NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[NAME])


if __name__ == "__main__":
    find_ourselves()
    importlib.import_module(f"{NAME}.main").main()
