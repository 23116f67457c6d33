"""How does a program become a child that cannot outlive us, nor run as root when it must not?

Run as a script, before the program itself, by the interpreter alone (`python -I -S launch.py ...`), because what is
done here must be done between fork and exec and a threaded parent may not do it there:

1. as root, become the user asked for and keep one ambient capability, to search folders (CAP_DAC_READ_SEARCH): the
   binaries or the data may lie below a folder that only root may enter, and PostgreSQL refuses to run as root;
2. ask the kernel to send a signal when the parent dies (after 1, because a change of user forgets the wish);
3. become the program.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Data(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def become(uid: int, gid: int) -> None:
    """Give up root for good; keep the capability to search folders if the kernel lets us (else do without)."""
    linux = sys.platform == "linux"
    libc = ctypes.CDLL(None, use_errno=True)
    if linux:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
        # initdb asks access(2) about its own binaries, which forgets capabilities of whoever is not root but for this.
        libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if linux:
        header = _Header(_CAPABILITY_VERSION_3, 0)
        wanted = 1 << _CAP_DAC_READ_SEARCH
        data = (_Data * 2)(_Data(wanted, wanted, wanted), _Data(0, 0, 0))
        if libc.capset(ctypes.byref(header), ctypes.byref(data)) == 0:
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0)
        else:
            # A container without this capability: whatever else was kept goes.
            libc.capset(ctypes.byref(header), ctypes.byref((_Data * 2)()))


def die_with(parent: int, death_signal: int) -> None:
    """Get `death_signal` when `parent` dies; end at once if it is dead already. Nothing outside Linux."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def main(arguments: list[str]) -> None:
    """`PARENT SIGNAL UID GID PROGRAM ARGUMENT...`; UID -1 keeps the user."""
    parent, death_signal, uid, gid = (int(value) for value in arguments[:4])
    program = arguments[4:]
    if uid >= 0:
        become(uid, gid)
    die_with(parent, death_signal)
    # What an interpreter ignores its child would ignore for ever.
    for ignored in (signal.SIGPIPE, signal.SIGINT):
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execv(program[0], program)  # noqa: S606 -- To become the program is the point.
    except OSError as error:
        sys.exit(f"{program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
