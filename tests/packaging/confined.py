"""`python -m tests.packaging.confined UNIT FOLDER COMMAND...`: a command under what a systemd unit forbids.

There need be no systemd. What the kernel does for it is asked of the kernel directly, as root: every file system
read-only but the folder, /tmp included; no capability; no memory that is writable and executable; the unit's system
calls and address families only.
"""

from __future__ import annotations

import ctypes
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

_NEWNS, _NO_NEW_PRIVS, _CAPBSET_DROP, _SET_MDWE = 0x20000, 38, 24, 65
_PRIVATE, _BIND, _RECURSIVE = 1 << 18, 4096, 16384
_MOUNT_SETATTR, _AT_RECURSIVE, _RDONLY = 442, 0x8000, 1
_ALLOW, _ERRNO_EPERM, _EQUAL = 0x7FFF0000, 0x00050001, 4

libc = ctypes.CDLL(None, use_errno=True)


def settings(unit: Path) -> dict[str, list[str]]:
    """The unit's settings; one that is there several times has several values."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"(?m)^(\w+)=(.*)$", unit.read_text()):
        found.setdefault(name, []).append(value)
    return found


def system_calls(filters: Iterable[str]) -> set[str]:
    """The names that SystemCallFilter= lines allow, sets in sets opened. Raises FileNotFoundError without systemd."""
    command = ["systemd-analyze", "syscall-filter", "--no-pager"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    sets: dict[str, list[str]] = {}
    for line in listed.stdout.splitlines():
        if line.startswith("@"):
            words = sets.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.strip().startswith("#"):
            words.append(line.strip())

    def opened(word: str) -> set[str]:
        return {each for inner in sets[word] for each in opened(inner)} if word.startswith("@") else {word}

    allowed: set[str] = set()
    for line in filters:
        named = {call for word in line.removeprefix("~").split() for call in opened(word)}
        allowed = allowed - named if line.startswith("~") else allowed | named
    return allowed


def _checked(code: int, what: str) -> int:
    if code < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return code


def _attributes(path: Path, *, set: int = 0, clear: int = 0, flags: int = 0) -> None:
    wanted = (ctypes.c_uint64 * 4)(set, clear, 0, 0)
    _checked(libc.syscall(_MOUNT_SETATTR, -100, str(path).encode(), flags, ctypes.byref(wanted), ctypes.sizeof(wanted)),
             f"mount_setattr of {path}")


def read_only_but(folder: Path) -> None:
    """A view of the files in which only the folder can be written to."""
    name = str(folder).encode()
    _checked(libc.unshare(_NEWNS), "unshare")
    _checked(libc.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None), "private mounts")
    _checked(libc.mount(name, name, None, _BIND, None), "bind")
    _attributes(Path("/"), set=_RDONLY, flags=_AT_RECURSIVE)
    _attributes(folder, clear=_RDONLY)


def forbid(unit: Path) -> None:
    """What the unit forbids besides writing."""
    known = settings(unit)
    for capability in range(64):
        libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)
    if known["MemoryDenyWriteExecute"] == ["yes"]:
        _checked(libc.prctl(_SET_MDWE, 1, 0, 0, 0), "MDWE")
    _checked(libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    _filter(system_calls(known["SystemCallFilter"]), known["RestrictAddressFamilies"][0].split())


class _Comparison(ctypes.Structure):
    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def _filter(allowed: set[str], families: list[str]) -> None:
    """Answer every other system call, and sockets of every other family, with EPERM."""
    lib = ctypes.CDLL("libseccomp.so.2")
    lib.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(lib.seccomp_init(_ERRNO_EPERM))
    for name in sorted(allowed - {"socket"}):
        number = lib.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            lib.seccomp_rule_add(context, _ALLOW, number, 0)
    for family in families:
        only = _Comparison(0, _EQUAL, getattr(socket, family), 0)
        lib.seccomp_rule_add_array(context, _ALLOW, lib.seccomp_syscall_resolve_name(b"socket"), 1, ctypes.byref(only))
    if lib.seccomp_load(context) != 0:
        raise OSError("the filter of system calls was not loaded")


def main(unit: Path, folder: Path, command: list[str]) -> None:
    """Become the command."""
    read_only_but(folder)
    forbid(unit)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
