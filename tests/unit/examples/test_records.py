"""RECORD against the files: what is missing, mismatched, counted and native."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.dependency_review.records import Comparison, Row, compare, read_record
from tests.support.site_packages import Installed, SitePackages, digest


@pytest.fixture
def site(tmp_path: Path) -> SitePackages:
    return SitePackages(tmp_path / "lib" / "site-packages")


def compared(installed: Installed) -> Comparison:
    rows = read_record(installed.folder)
    assert rows is not None
    return compare(installed.site, rows)


def test_an_untouched_distribution_has_no_findings(site: SitePackages) -> None:
    installed = site.add("a", files={"a/x.py": b"12345", "a/empty.py": b""})
    sizes = [file.stat().st_size for file in site.path.rglob("*") if file.is_file()]
    assert compared(installed) == Comparison([], [], 4, sum(sizes), native=False)


def test_one_changed_byte_is_a_mismatch_and_the_file_still_counts(site: SitePackages) -> None:
    installed = site.add("a")
    before = compared(installed)
    installed.tamper("a/__init__.py")
    after = compared(installed)
    assert (after.missing, after.mismatched) == ([], ["a/__init__.py"])
    assert (after.files, after.bytes) == (before.files, before.bytes)


def test_a_file_that_is_gone_is_missing_and_no_longer_counts(site: SitePackages) -> None:
    installed = site.add("a", files={"a/one.py": b"1", "a/two.so": b"22"})
    before = compared(installed)
    installed.remove("a/two.so")
    after = compared(installed)
    assert (after.missing, after.mismatched) == (["a/two.so"], [])
    assert (after.files, after.bytes) == (before.files - 1, before.bytes - 2)
    assert (before.native, after.native) == (True, False)


def test_paths_are_sorted_and_named_once(site: SitePackages) -> None:
    installed = site.add("a", files={f"a/{name}.py": b"x" for name in "cabd"})
    for name in "ca":
        installed.tamper(f"a/{name}.py")
    for name in "db":
        installed.remove(f"a/{name}.py")
    installed.write_record(extra=[["a/c.py", "sha256=wrong", ""], ["a/d.py", "md5=x", ""]])
    found = compared(installed)
    assert found.missing == ["a/b.py", "a/d.py"]
    assert found.mismatched == ["a/a.py", "a/c.py"]


def test_a_file_that_is_listed_twice_counts_once(site: SitePackages) -> None:
    installed = site.add("a", files={"a/x.py": b"123"})
    before = compared(installed)
    installed.write_record(extra=[["a/x.py", "", ""], ["a/../a/x.py", "", ""]])
    after = compared(installed)
    assert after.files == before.files
    assert after.bytes == (installed.folder / "RECORD").stat().st_size + sum(
        len(content) for content in (b"123", (installed.folder / "METADATA").read_bytes())
    )


def test_rows_without_a_digest_are_counted_but_not_compared(site: SitePackages) -> None:
    installed = site.add("a", files={"a/x.py": b"1"})
    (site.path / "a" / "x.pyc").write_bytes(b"compiled")
    before = compared(installed)
    installed.write_record(extra=[["a/x.pyc", "", ""], ["a/gone.pyc", "", ""], ["a/none.pyc"]])
    after = compared(installed)
    assert (after.missing, after.mismatched) == ([], [])
    assert after.files == before.files + 1


@pytest.mark.parametrize("suffix", [".so", ".pyd", ".dylib", ".cpython-311-x86_64-linux-gnu.so"])
def test_native_is_told_by_the_suffix(site: SitePackages, suffix: str) -> None:
    assert compared(site.add("a", files={f"a/fast{suffix}": b"1"})).native


@pytest.mark.parametrize("name", ["so", "x.so.1", "x.sox", "x.dll", "x.a", ".so/x.py"])
def test_other_names_are_not_native(site: SitePackages, name: str) -> None:
    assert not compared(site.add("a", files={f"a/{name}": b"1"})).native


@pytest.mark.parametrize(
    "algorithm", ["sha256", "sha512", "sha384", "sha1", "md5", "blake2b", "sha3_256"]
)
def test_any_algorithm_of_hashlib_is_compared(site: SitePackages, algorithm: str) -> None:
    installed = SitePackages(site.path, algorithm).add("a")
    assert compared(installed).mismatched == []
    installed.tamper("a/__init__.py")
    assert compared(installed).mismatched == ["a/__init__.py"]


@pytest.mark.parametrize(
    ("written", "is_match"),
    [
        ("sha256=pmWkWSBCL51Bfkhn79xPuKBKHz__H6B-mY6G9_eieuM", True),
        ("sha256=pmWkWSBCL51Bfkhn79xPuKBKHz__H6B-mY6G9_eieuM=", True),
        ("SHA256=pmWkWSBCL51Bfkhn79xPuKBKHz__H6B-mY6G9_eieuM", True),
        ("sha256=pmWkWSBCL51Bfkhn79xPuKBKHz//H6B+mY6G9/eieuM", False),
        ("sha256=a665a45920422f9d417e4867efdc4fb8a04a1f3fff1fa07e998e86f7f7a27ae3", False),
        ("sha256=", False),
        ("sha256", False),
        ("shake_128=", False),
        ("shake_128===", False),
        ("shake_128=1rm9vaFMOFjD", True),
        ("nonsense=abcd", False),
        ("=abcd", False),
        ("sha256=é", False),
    ],
)
def test_a_digest_that_cannot_be_compared_is_a_mismatch(
    tmp_path: Path, *, written: str, is_match: bool
) -> None:
    (tmp_path / "x").write_bytes(b"123")
    found = compare(tmp_path, [Row("x", written)])
    assert found.mismatched == ([] if is_match else ["x"])
    assert found.missing == []


def test_paths_that_leave_the_folder_are_followed_from_it(site: SitePackages) -> None:
    installed = site.add("a")
    script = site.path.parent.parent / "bin" / "tool"
    script.parent.mkdir()
    script.write_bytes(b"#!/bin/sh\n")
    extra = [["../../bin/tool", digest(b"#!/bin/sh\n"), ""], [str(script), digest(b"else"), ""]]
    before = compared(installed).files
    installed.write_record(extra=extra)
    found = compared(installed)
    assert (found.missing, found.mismatched) == ([], [str(script)])
    assert found.files == before + 1
    script.unlink()
    assert compared(installed).missing == sorted(["../../bin/tool", str(script)])


def test_quoted_names_are_read_as_csv(site: SitePackages) -> None:
    names = ["a/with, comma.py", 'a/with "quote".py', "a/with\nline.py", " a/space .py", "a/é.py"]
    installed = site.add("a", files=dict.fromkeys(names, b"1"))
    assert compared(installed).files == len(names) + 2
    for name in names:
        installed.tamper(name)
    assert compared(installed).mismatched == sorted(names)


def test_record_with_crlf_and_blank_lines(site: SitePackages) -> None:
    installed = site.add("a")
    record = installed.folder / "RECORD"
    record.write_bytes(b"\r\n,,\r\n" + record.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert compared(installed).files == 3


def test_folders_pipes_and_broken_links_are_not_files(site: SitePackages) -> None:
    installed = site.add("a")
    (site.path / "a" / "sub").mkdir()
    os.mkfifo(site.path / "a" / "pipe")
    (site.path / "a" / "broken").symlink_to("nowhere")
    (site.path / "a" / "ring").symlink_to("ring")
    before = compared(installed).files
    names = ["a/sub", "a/pipe", "a/broken", "a/ring", "a/__init__.py/x", "a/" + "n" * 300, "a/\0"]
    installed.write_record(extra=[[name, digest(b""), ""] for name in names])
    found = compared(installed)
    assert found.missing == sorted(name.replace("\0", "\ufffd") for name in names)
    assert (found.mismatched, found.files) == ([], before)


def test_links_are_followed(site: SitePackages) -> None:
    installed = site.add("a", files={"a/x.py": b"1"})
    (site.path / "a" / "link.py").symlink_to("x.py")
    before = compared(installed).files
    installed.write_record(extra=[["a/link.py", digest(b"1"), ""]])
    found = compared(installed)
    assert (found.missing, found.mismatched, found.files) == ([], [], before + 1)


def test_a_file_that_may_not_be_read_is_a_mismatch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(b"1")

    def refuse(path: str, mode: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("builtins.open", refuse)
    found = compare(tmp_path, [Row("x", digest(b"1"))])
    assert (found.mismatched, found.files, found.bytes) == (["x"], 1, 1)


def test_names_that_are_not_utf_8_are_found_and_shown_as_storable_text(site: SitePackages) -> None:
    name = os.fsdecode(b"a/caf\xe9.py")
    installed = site.add("a", files={name: b"1"})
    assert compared(installed).mismatched == []
    installed.tamper(name)
    assert compared(installed).mismatched == ["a/caf\ufffd.py"]


@pytest.mark.parametrize(
    "content", [None, b'a/x.py,"sha256', b'"a"x,,\n', b"x" * 200_000 + b",,\n"]
)
def test_a_record_that_is_not_there_or_not_csv_is_no_record(
    site: SitePackages, content: bytes | None
) -> None:
    folder = site.add("a").folder
    (folder / "RECORD").unlink()
    if content is not None:
        (folder / "RECORD").write_bytes(content)
    assert read_record(folder) is None


def test_a_record_that_is_a_folder_or_may_not_be_read_is_no_record(
    site: SitePackages, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = site.add("a").folder
    (site.add("b").folder / "RECORD").unlink()
    (site.path / "b-1.0.dist-info" / "RECORD").mkdir()
    assert read_record(site.path / "b-1.0.dist-info") is None

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert read_record(folder) is None


def test_an_empty_record_is_a_record(site: SitePackages) -> None:
    folder = site.add("a").folder
    (folder / "RECORD").write_bytes(b"")
    assert read_record(folder) == []


@given(st.binary(max_size=300))
def test_no_record_can_break_the_review(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "RECORD").write_bytes(raw)
    rows = read_record(folder)
    found = compare(folder / "nothing-here", rows or [])
    for path in [*found.missing, *found.mismatched]:
        path.encode("utf-8")
        assert "\0" not in path
