"""What the process does: it reads what it is to be, and is that."""

import os
import sys
import time
import traceback

from .control import Control


def main():
    control = Control(3)
    message = control.read()
    if message is not None and "preload" in message:
        from . import fork_server

        # Comes back in every process that it forks, and when nobody needs it any more.
        control = fork_server.serve(control, message["preload"])
        message = control and control.read()
    if message is not None:
        serve(message, control)


def serve(order, control):
    """Is an instance: loads the file and answers calls until the process is ended."""
    os.environ.clear()
    os.environ.update(order["environment"])
    if "TZ" in os.environ:
        time.tzset()
    os.chdir(order["home"])
    control.tell({"taken": True})

    from . import http_server, load

    try:
        answer = load.load(order)
    except BaseException as fault:
        traceback.print_exc()
        reason = load.explain(fault, order)
        # The last line is what is remembered.
        print(reason, file=sys.stderr)
        control.tell({"error": reason})
        sys.exit(1)

    def listening():
        control.tell({"ready": True})
        control.close()

    http_server.serve(order["socket"], answer, listening)
