"""The filter of system calls, on a machine of its own: what each call would be answered."""

import errno
import struct

import pytest

from workflows.effects.seccomp import filter_bytes

ALLOW, KILL = 0x7FFF0000, 0x80000000
X86, ARM = 0xC000003E, 0xC00000B7
MACHINES = {"x86_64": X86, "aarch64": ARM}


def refused(error: int) -> int:
    return 0x00050000 | error


def answer(machine: str, number: int, first: int = 0, architecture: int | None = None) -> int:
    """Run the filter as the kernel does, on the number of a call and its first argument."""
    code = list(struct.iter_unpack("HBBI", filter_bytes(machine)))
    architecture = MACHINES[machine] if architecture is None else architecture
    words = {0: number, 4: architecture, 16: first & 0xFFFFFFFF}
    at = value = 0
    while True:
        operation, yes, no, operand = code[at]
        at += 1
        if operation == 0x06:
            return int(operand)
        if operation == 0x20:
            value = words[operand]
            continue
        holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}
        at += yes if holds[operation] else no


@pytest.mark.parametrize(
    ("machine", "numbers"),
    [
        ("x86_64", [0, 1, 3, 9, 13, 39, 57, 58, 59, 61, 62, 231, 257, 262, 302, 334, 441, 449]),
        ("aarch64", [56, 57, 63, 64, 93, 94, 98, 172, 214, 220, 221, 222, 261, 291, 441, 449]),
    ],
)
def test_what_programs_need_is_allowed(machine: str, numbers: list[int]) -> None:
    assert {number: answer(machine, number) for number in numbers} == dict.fromkeys(numbers, ALLOW)


@pytest.mark.parametrize(
    ("machine", "numbers"),
    [
        # ptrace, mount, umount2, pivot_root, chroot, unshare, setns, bpf, keyctl, userfaultfd,
        # io_uring_setup, perf_event_open, init_module, memfd_create, shmget, syslog
        ("x86_64", [101, 165, 166, 155, 161, 272, 308, 321, 250, 323, 425, 298, 175, 319, 29, 103]),
        ("aarch64", [117, 40, 39, 41, 51, 97, 268, 280, 219, 282, 425, 241, 105, 279, 194, 116]),
    ],
)  # fmt: skip
def test_what_escapes_begin_with_is_refused(machine: str, numbers: list[int]) -> None:
    expected = dict.fromkeys(numbers, refused(errno.EPERM))
    assert {number: answer(machine, number) for number in numbers} == expected


@pytest.mark.parametrize(("machine", "clone"), [("x86_64", 56), ("aarch64", 220)])
def test_processes_can_be_made_and_namespaces_cannot(machine: str, clone: int) -> None:
    assert answer(machine, clone, 0x01200011) == ALLOW  # as fork asks
    assert answer(machine, clone, 0x003D0F00) == ALLOW  # as a thread is made
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert answer(machine, clone, flag | 0x11) == refused(errno.EPERM)
    assert answer(machine, 435) == refused(errno.ENOSYS)


@pytest.mark.parametrize(("machine", "call"), [("x86_64", 41), ("aarch64", 198)])
def test_only_sockets_of_the_usual_families(machine: str, call: int) -> None:
    assert {family for family in range(50) if answer(machine, call, family) == ALLOW} == {1, 2, 10}
    assert answer(machine, call, 40) == refused(errno.EAFNOSUPPORT)  # vsock


def test_no_other_numbering_goes_around_it() -> None:
    assert answer("x86_64", 0x40000000 + 101) == refused(errno.ENOSYS)
    assert answer("x86_64", 26, architecture=0x40000003) == KILL  # ptrace of 32 bit
    assert answer("aarch64", 26, architecture=0x40000028) == KILL
