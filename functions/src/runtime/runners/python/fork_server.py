"""Imports packages once, then forks a process for each order.

It is asked with {"preload": {"packages", "imports", "address"}} and tells {"preloaded": {...}}. Then

    {"fork": 7, "output": "/prefix"}    begins a process, which connects to the address, says {"child": 7, "pid": 123},
                                        and reads its order there; its output goes to the FIFOs /prefix.stdout and
                                        /prefix.stderr
    {"gone": 7, "code": 0}              tells how a process ended, or {"gone": 7, "signal": "SIGKILL"}, when nothing
                                        of its process group is left; {"gone": 7, "fault": "..."} that there was no
                                        room for one

When its own line is closed it ends its processes, and itself. They end when it does, however that comes (on Linux).
"""

import ctypes
import gc
import os
import select
import signal
import socket
import sys
import sysconfig

from .control import Control
from .preload import preload

# Linux, prctl(2).
PR_SET_PDEATHSIG = 1


def serve(control, order):
    """Comes back in each process that it forks, with the line to the one who has its order; otherwise with None."""
    server_pid = os.getpid()
    bind_to_parent = death_binder()
    # What is there after the imports is shared with the processes to come, as long as nobody writes to it.
    gc.disable()
    said = preload(order["packages"], order["imports"])
    gc.freeze()
    gc.enable()
    control.tell({"preloaded": said})
    if said["unfit"]:
        return None
    wakeup = begin_to_hear_of_ends()
    children = {}
    while True:
        ready, _, _ = select.select([control.descriptor, wakeup], [], [])
        if wakeup in ready:
            os.read(wakeup, 4096)
        tell_of_ended(control, children)
        if control.descriptor not in ready:
            continue
        message = control.read()
        while message is not None:
            try:
                pid = os.fork()
            except OSError as fault:
                control.tell({"gone": message["fork"], "fault": str(fault)})
            else:
                if pid == 0:
                    return become_child(order["address"], message, lambda: bind_to_parent(server_pid))
                children[pid] = message["fork"]
            if not control.has_more():
                break
            message = control.read()
        else:
            for pid in children:
                end_group(pid)
            return None


def begin_to_hear_of_ends():
    """A descriptor that can be read when a process has ended."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader


def tell_of_ended(control, children):
    """While an ended process is not reaped, its number, and so its group's, is given to nobody else."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None:
            return
        end_group(ended.si_pid)
        os.waitpid(ended.si_pid, 0)
        child = children.pop(ended.si_pid, None)
        if child is None:
            continue
        by_itself = ended.si_code == os.CLD_EXITED
        how = {"code": ended.si_status} if by_itself else {"signal": signal.Signals(ended.si_status).name}
        control.tell({"gone": child, **how})


def end_group(pid):
    # It may not have begun its group yet.
    for end, target in ((os.killpg, pid), (os.kill, pid)):
        try:
            end(target, signal.SIGKILL)
        except ProcessLookupError:
            pass


def become_child(address, message, bind_to_parent):
    """A process as if it had just been begun: a session, descriptors and signals of its own."""
    os.setsid()
    bind_to_parent()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.closerange(3, max(map(int, os.listdir("/dev/fd"))) + 1)
    readers = [open_output(f"{message['output']}.{name}", target) for name, target in (("stdout", 1), ("stderr", 2))]
    line = socket.socket(socket.AF_UNIX)
    line.connect(address)
    control = Control(line.detach())
    control.tell({"child": message["fork"], "pid": os.getpid()})
    first = control.peek()
    # Whoever sends the order reads our output by now.
    for reader in readers:
        os.close(reader)
    if first is None:
        sys.exit(0)
    forget_the_server(first)
    return control


def open_output(path, target):
    """A FIFO, because it can be opened anew as /dev/stdout, which a socket cannot."""
    os.mkfifo(path, 0o600)
    # There must be a reader for a writer to come.
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(path, os.O_WRONLY)
    os.dup2(writer, target)
    os.close(writer)
    return reader


def forget_the_server(order):
    """What is copied by a fork and must be this process's own. Python sees to `random` and `threading` by itself."""
    # See preload.
    sysconfig.get_config_vars()["userbase"] = os.path.join(order["environment"].get("HOME", "/"), ".local")
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()


def death_binder():
    """A function that ties the life of this process to that of its parent; it must be found before the fork."""
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        prctl = None

    def bind(parent):
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return bind
