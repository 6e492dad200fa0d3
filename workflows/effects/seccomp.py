"""Which system calls the sandbox refuses: those that programs do without and escapes begin with.

A filter for Linux's seccomp, as bytes of classic BPF. Everything that is not named stays allowed:
the walls are the namespaces; this closes doors in them.
"""

import errno
import platform
import struct

#: Name -> number on x86-64, number on ARM64; None: the machine does not have it.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mbind": (237, 235),
    "memfd_create": (319, 279),  # this and the others of their sort: memory that no limit counts
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "semget": (64, 190),
    "set_mempolicy": (238, 237),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
#: Architecture of the audit interface; numbers of clone, clone3, socket.
_MACHINES = {
    "x86_64": (0, 0xC000003E, 56, 435, 41),
    "aarch64": (1, 0xC00000B7, 220, 435, 198),
}
#: A new namespace would be a new surface of the kernel: mount, cgroup, uts, ipc, user, pid, net.
_NEW_NAMESPACES = 0x7E020000
_FAMILIES = (1, 2, 10)  # unix, IPv4, IPv6: a sandbox has its own; vsock leads to the machine's host
_X32 = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16


def is_known_machine() -> bool:
    """Tell whether there is a filter for this machine."""
    return platform.machine() in _MACHINES


def filter_bytes(machine: str = "") -> bytes:
    """Return the filter, for this machine if none is named."""
    index, architecture, clone, clone3, socket = _MACHINES[machine or platform.machine()]
    refused = [numbers[index] for numbers in _REFUSED.values()]
    code = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, architecture, yes=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        # On x86-64 the same calls exist a second time under other numbers.
        _step(_AT_LEAST, _X32, no=1),
        _step(_RETURN, _ERROR | errno.ENOSYS),
        # Its flags stand in memory, where no filter can look; libraries fall back to clone.
        _step(_EQUAL, clone3, no=1),
        _step(_RETURN, _ERROR | errno.ENOSYS),
    ]
    for number in refused:
        if number is not None:
            code += [_step(_EQUAL, number, no=1), _step(_RETURN, _ERROR | errno.EPERM)]
    code += [
        _step(_EQUAL, clone, no=4),
        _step(_LOAD, _FIRST_ARGUMENT),
        _step(_ANY_BIT, _NEW_NAMESPACES, no=1),
        _step(_RETURN, _ERROR | errno.EPERM),
        _step(_RETURN, _ALLOW),
        _step(_EQUAL, socket, no=len(_FAMILIES) + 2),
        _step(_LOAD, _FIRST_ARGUMENT),
        *(_step(_EQUAL, family, yes=len(_FAMILIES) - at) for at, family in enumerate(_FAMILIES)),
        _step(_RETURN, _ERROR | errno.EAFNOSUPPORT),
        _step(_RETURN, _ALLOW),
    ]
    return b"".join(code)


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """Return one instruction; `yes` and `no` are how many are passed over."""
    return struct.pack("HBBI", code, yes, no, value)
