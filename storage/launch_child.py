"""Becomes another program, as another user, that gets a signal when its parent dies.

Run as a script by `python -I -S`, so it imports nothing of ours:

    launch_child.py PARENT_PID DEATH_SIGNAL UID GID PROGRAM ARGUMENT…      (UID -1: stay who we are)

It is a program of its own because Python code between fork and exec (`preexec_fn`) may deadlock in a process that
has threads, and a process that runs Ray has many.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    parent, death_signal, uid, gid = (int(number) for number in arguments[:4])
    program = arguments[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # Only now: a change of user clears it. Elsewhere the next start finds and ends what was left over.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent died before its child could start")
    for inherited in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(inherited, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.umask(0o077)
    os.execv(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1:])
