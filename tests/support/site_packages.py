"""Builds small site-packages folders with right digests, and spoils them on purpose."""

import base64
import csv
import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


def digest(content: bytes, algorithm: str = "sha256") -> str:
    """Return a digest as RECORD writes it."""
    found = hashlib.new(algorithm, content).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(found).rstrip(b'=').decode()}"


def metadata(
    name: str,
    version: str,
    *,
    expression: str | None = None,
    licence: str | None = None,
    classifiers: Sequence[str] = (),
) -> str:
    """Return the text of a METADATA file."""
    lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
    lines += [] if licence is None else [f"License: {licence}"]
    lines += [] if expression is None else [f"License-Expression: {expression}"]
    lines += [f"Classifier: {classifier}" for classifier in classifiers]
    return "\n".join([*lines, "", "The long description. License: not this one", ""])


@dataclass(frozen=True)
class Installed:
    """One distribution that the builder installed."""

    site: Path
    folder: Path
    rows: list[list[str]] = field(default_factory=list)

    def tamper(self, path: str) -> None:
        """Change one byte of a file, its size kept."""
        file = self.site / path
        content = bytearray(file.read_bytes())
        content[0] ^= 1
        file.write_bytes(content)

    def remove(self, path: str) -> None:
        (self.site / path).unlink()

    def write_record(self, extra: Sequence[Sequence[str]] = ()) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([*self.rows, *extra])
        (self.folder / "RECORD").write_bytes(os.fsencode(text.getvalue()))


@dataclass(frozen=True)
class SitePackages:
    """A site-packages folder under construction."""

    path: Path
    algorithm: str = "sha256"

    def add(
        self,
        name: str,
        version: str = "1.0",
        *,
        expression: str | None = None,
        licence: str | None = None,
        classifiers: Sequence[str] = (),
        files: Mapping[str, bytes] | None = None,
    ) -> Installed:
        """Install one distribution: METADATA, its files, and a RECORD of all of them."""
        folder = self.path / f"{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        installed = Installed(self.path, folder)
        text = metadata(
            name, version, expression=expression, licence=licence, classifiers=classifiers
        )
        module = name.replace("-", "_").replace(".", "_").lower()
        contents = dict(files or {f"{module}/__init__.py": f"NAME = {name!r}\n".encode()})
        contents[f"{folder.name}/METADATA"] = text.encode()
        for path, content in contents.items():
            file = self.path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            installed.rows.append([path, digest(content, self.algorithm), str(len(content))])
        installed.rows.append([f"{folder.name}/RECORD", "", ""])
        installed.write_record()
        return installed

    def add_unreadable(self, folder: str, content: bytes | None = None) -> Path:
        """Make a `*.dist-info` folder with this METADATA, or with none."""
        path = self.path / folder
        path.mkdir(parents=True)
        if content is not None:
            (path / "METADATA").write_bytes(content)
        return path


def sample_environment(path: Path) -> SitePackages:
    """Build the environment of the example's expected result: every rule is met once."""
    site = SitePackages(path)
    osi = "License :: OSI Approved"
    site.add("Alpha_Tools", "1.0", expression="MIT")
    site.add("beta", "2.1", classifiers=[f"{osi} :: BSD License", f"{osi} :: MIT License"])
    site.add("gamma", "0.3", licence="AGPL-3.0-or-later")
    site.add("delta", "1.2.3", expression="LGPL-3.0-only")
    site.add("epsilon", "4.0", licence="LGPL-3.0-only")
    site.add("zeta", "0.1", licence="UNKNOWN")
    site.add("eta", "5.0", licence="MIT", files={"eta/fast.so": b"\x7fELF", "eta/a.py": b"A = 1\n"})
    site.add("theta", "1.0", expression="ISC").tamper("theta/__init__.py")
    site.add("iota", "1.0", expression="Zlib").remove("iota/__init__.py")
    (site.add("kappa", "1.0", expression="HPND").folder / "RECORD").unlink()
    site.add_unreadable("broken-1.0.dist-info", b"\xff\xfe\x00not metadata")
    site.add_unreadable("empty-1.0.dist-info")
    return site
