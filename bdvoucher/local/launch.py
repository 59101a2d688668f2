"""Become another program that dies with its parent and, started by root, is not root.

    python -I -S launch.py PARENT_PID SIGNAL UID:GID:HOW -- PROGRAM ARGUMENT...

Runs on its own, with nothing but the standard library: between a fork and an exec there must be
no thread and no lock of the program that started it. UID -1 keeps the user. HOW is
0: become that user, as root can;
1: and keep one capability, to work in a folder below /root without a chmod of it;
2: only be called so, in a user namespace, where our own number has no name and a name is wanted.
"""

import contextlib
import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CLONE_NEWUSER = 0x10000000
PLAIN, KEEP_DAC, BORROWED = 0, 1, 2
CAPABILITY_VERSION_3 = 0x20080522


def call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def become(uid: int, gid: int, *, keep_dac: bool) -> None:
    if keep_dac:
        # Keeps the capabilities over the change of user, and lets access(2), by which PostgreSQL
        # looks for its own files, take the one we leave into account.
        call("prctl", PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    with contextlib.suppress(PermissionError):  # refused in some user namespaces
        os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if keep_dac:
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        bit = 1 << CAP_DAC_OVERRIDE
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable
        call("capset", ctypes.byref(header), ctypes.byref(sets))
        call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def be_called(uid: int, gid: int) -> None:
    maps = {"uid_map": f"{uid} {os.geteuid()} 1", "gid_map": f"{gid} {os.getegid()} 1"}
    call("unshare", CLONE_NEWUSER)
    for name, text in {"setgroups": "deny", **maps}.items():
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123  (pathlib costs a start 10 ms)
            file.write(text)


def main() -> None:
    parent, signal, user = sys.argv[1:4]
    command = sys.argv[5:]
    uid, gid, how = (int(part) for part in user.split(":"))
    try:
        if how == BORROWED:
            be_called(uid, gid)
        elif uid >= 0:
            become(uid, gid, keep_dac=how == KEEP_DAC)
        if int(signal) and sys.platform == "linux":
            # After the change of user, which would clear it.
            call("prctl", PR_SET_PDEATHSIG, int(signal), 0, 0, 0)
            if os.getppid() != int(parent):
                sys.exit(1)
        os.execv(command[0], command)  # noqa: S606
    except OSError as error:
        sys.exit(f"{command[0]}: {error}")


if __name__ == "__main__":
    main()
