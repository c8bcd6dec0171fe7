"""The author's file: where it finds what it imports, and what is wrong with it."""

import importlib
import importlib.util
import os
import sys
import traceback

from . import forms, stand_in_flask


def load(order):
    """Runs the file. Comes back with the function that answers calls."""
    file = order["file"]
    sys.path[:0] = folders_of(order)
    # What a fork server has looked for in vain may be found now.
    importlib.invalidate_caches()
    stand_in_flask.install()
    stem = os.path.splitext(os.path.basename(file))[0]
    is_taken = stem in sys.modules or stem in sys.stdlib_module_names
    name = f"function_{stem}" if is_taken else stem
    sys.argv = [file]
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return forms.choose(module, order)


def folders_of(order):
    """The author's neighbours come first, as if the file had been run; those where it was copied from come next."""
    origin, packages = order.get("origin"), order.get("packages")
    found = [os.path.dirname(order["file"]), origin and os.path.dirname(origin), packages]
    return list(dict.fromkeys(folder for folder in found if folder))


def explain(fault, order):
    """What is wrong, in a line: with the place in the author's code, and what to do about a module that is missing."""
    if isinstance(fault, SyntaxError):
        return f"{type(fault).__name__}: {fault.filename}:{fault.lineno}: {fault.msg}"
    what = f"{type(fault).__name__}: {fault}"
    place = place_of(fault, order)
    if place is None:
        return what
    if isinstance(fault, ModuleNotFoundError):
        folders = ", ".join([*folders_of(order), "the packages of " + sys.executable])
        advice = f"looked for in {folders}; add it to requirements.txt"
        return f"{what} (imported by {place}); {advice}"
    return f"{what} ({place})"


def place_of(fault, order):
    """`file:line` of the last step that was in the author's own code."""
    *own, _packages = [*folders_of(order), None] if order.get("packages") is None else folders_of(order)
    steps = [step for step in traceback.extract_tb(fault.__traceback__) if within(step.filename, own)]
    return f"{steps[-1].filename}:{steps[-1].lineno}" if steps else None


def within(file, folders):
    return any(file.startswith(folder + os.sep) for folder in folders)
