"""Which folders are distributions, in what order, and what is unreadable."""

import os
import sysconfig
from pathlib import Path

import pytest

from examples.dependency_review.distributions import (
    EnvironmentRefusedError,
    list_distributions,
    normalise,
)
from tests.support.site_packages import SitePackages, metadata


@pytest.fixture
def site(tmp_path: Path) -> SitePackages:
    return SitePackages(tmp_path / "site-packages")


def listed(site: SitePackages) -> list[tuple[str, str]]:
    found = list_distributions(str(site.path))
    return [(package["name"], package["version"]) for package in found["packages"]]


def reasons(site: SitePackages) -> dict[str, str]:
    found = list_distributions(str(site.path))
    return {each["folder"]: each["reason"] for each in found["unreadable"]}


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Friendly-Bard", "friendly-bard"),
        ("FRIENDLY.BARD", "friendly-bard"),
        ("friendly__bard", "friendly-bard"),
        ("FrIeNdLy-._.-bArD", "friendly-bard"),
        ("six", "six"),
    ],
)
def test_names_are_normalised_as_in_pep_503(written: str, normal: str) -> None:
    assert normalise(written) == normal


def test_packages_are_ordered_by_name_and_version(site: SitePackages) -> None:
    for name, version in [("Zope.Two", "1"), ("b_b", "2.0"), ("B-b", "10.0"), ("a", "1")]:
        site.add(name, version)
    assert listed(site) == [("a", "1"), ("b-b", "10.0"), ("b-b", "2.0"), ("zope-two", "1")]


def test_the_environment_of_a_listing_is_the_resolved_path(site: SitePackages) -> None:
    site.add("a")
    crooked = site.path / ".." / "site-packages"
    assert list_distributions(str(crooked))["environment"] == str(site.path.resolve())


def test_none_is_the_running_interpreters_site_packages() -> None:
    found = list_distributions(None)
    assert found["environment"] == str(Path(sysconfig.get_path("purelib")).resolve())
    assert "pytest" in {package["name"] for package in found["packages"]}


def test_only_dist_info_folders_directly_in_the_folder_count(site: SitePackages) -> None:
    site.add("real")
    SitePackages(site.path / "vendored").add("nested")
    (site.path / "old-1.0.egg-info").mkdir()
    (site.path / "old-1.0.egg-info" / "PKG-INFO").write_text(metadata("old", "1.0"))
    (site.path / "file-1.0.dist-info").write_text(metadata("file", "1.0"))
    (site.path / "module.py").write_text("")
    assert listed(site) == [("real", "1.0")]
    assert reasons(site) == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no METADATA file"),
        (b"", "METADATA has no Name"),
        (b"Version: 1.0\n", "METADATA has no Name"),
        (b"Name:  \nVersion: 1.0\n", "METADATA has no Name"),
        (b"Name: a\n", "METADATA has no Version"),
        (b"Name: a\n\nVersion: 1.0\n", "METADATA has no Version"),
        (b"\xff\xfeN\x00a\x00", "METADATA is not UTF-8 (byte 0)"),
        (b"Name: a\nVersion: 1.0\nLicense: \xe9\n", "METADATA is not UTF-8 (byte 30)"),
        (b"Name: a\x00b\nVersion: 1.0\n", "METADATA is not text (NUL at character 7)"),
        (bytes(range(128)) * 20, "METADATA is not text (NUL at character 0)"),
    ],
)
def test_a_folder_that_cannot_be_read_is_reported_and_the_rest_goes_on(
    site: SitePackages, content: bytes | None, reason: str
) -> None:
    site.add("good")
    site.add_unreadable("bad-1.0.dist-info", content)
    assert listed(site) == [("good", "1.0")]
    assert reasons(site) == {"bad-1.0.dist-info": reason}


def test_metadata_that_is_a_folder_or_a_pipe_is_unreadable(site: SitePackages) -> None:
    (site.add_unreadable("folder-1.dist-info") / "METADATA").mkdir()
    os.mkfifo(site.add_unreadable("pipe-1.dist-info") / "METADATA")
    (site.add_unreadable("link-1.dist-info") / "METADATA").symlink_to("nowhere")
    assert reasons(site) == {
        "folder-1.dist-info": "METADATA is not a file",
        "link-1.dist-info": "there is no METADATA file",
        "pipe-1.dist-info": "METADATA is not a file",
    }


def test_metadata_that_may_not_be_opened_is_unreadable(
    site: SitePackages, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add("a")

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert reasons(site) == {"a-1.0.dist-info": "METADATA cannot be opened: Permission denied"}


def test_a_folder_whose_name_is_not_utf_8_is_reported_in_storable_text(site: SitePackages) -> None:
    site.add("good")
    os.mkdir(os.fsencode(site.path) + b"/caf\xe9-1.dist-info")  # noqa: PTH102 - bytes
    assert reasons(site) == {"caf\ufffd-1.dist-info": "the folder's name is not UTF-8"}


def test_the_description_is_never_looked_at(site: SitePackages) -> None:
    site.add_unreadable("a-1.dist-info", b"Name: a\r\nVersion: 1\r\n\r\n\xff\xfe\x00 Name: b")
    site.add_unreadable("b-1.dist-info", b"\xef\xbb\xbfName: b\nVersion: 1\n")
    assert listed(site) == [("a", "1"), ("b", "1")]


def test_unreadable_folders_are_sorted(site: SitePackages) -> None:
    for name in ("c", "a", "b"):
        site.add_unreadable(f"{name}-1.dist-info")
    found = list_distributions(str(site.path))
    assert [each["folder"][0] for each in found["unreadable"]] == ["a", "b", "c"]
    assert found["packages"] == []


def test_a_folder_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    for path in [str(tmp_path / "nowhere"), "\0", str(tmp_path / ("x" * 300))]:
        with pytest.raises(EnvironmentRefusedError) as refusal:
            list_distributions(path)
        assert refusal.value.code == "environment_not_found"
        assert path.replace("\0", "\ufffd") in refusal.value.message


def test_a_file_is_not_an_environment(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentRefusedError) as refusal:
        list_distributions(str(tmp_path / "file"))
    assert refusal.value.code == "environment_not_found"


def test_a_folder_that_holds_nothing_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("")
    with pytest.raises(EnvironmentRefusedError) as refusal:
        list_distributions(str(tmp_path))
    assert refusal.value.code == "environment_empty"
    assert str(tmp_path) in refusal.value.message


def test_a_folder_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(EnvironmentRefusedError, match="cannot be read: Permission denied"):
        list_distributions(str(tmp_path))
