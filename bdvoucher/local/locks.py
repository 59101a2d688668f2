"""The requirement locks: `./run lock` makes them, `./run check` compares them with their `.in`."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from bdvoucher.local.places import PROJECT

FOLDER: Final = PROJECT / "requirements"
LOCKS: Final = {
    FOLDER / "test.in": PROJECT / "requirements.txt",
    FOLDER / "dev.in": FOLDER / "dev.txt",
    FOLDER / "production.in": FOLDER / "production.txt",
}
COMPILE: Final = [
    *("pip", "compile", "--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-header", "--quiet"),
]
PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def requirements(path: Path) -> Iterator[Requirement]:
    """What an `.in` file asks for, together with the files it includes."""
    for line in path.read_text().splitlines():
        wanted = line.partition("#")[0].strip()
        if wanted.startswith("-r "):
            yield from requirements(path.parent / wanted.removeprefix("-r ").strip())
        elif wanted:
            yield Requirement(wanted)


def differences(asked: Path, lock: Path) -> list[str]:
    """What is asked for and not in the lock, or pinned outside the versions asked for."""
    if not lock.exists():
        return [f"{lock.name} is missing"]
    text = lock.read_text()
    pins: dict[str, list[Version]] = {}
    for name, version in PIN.findall(text):
        pins.setdefault(canonicalize_name(name), []).append(Version(version))
    found = []
    for wanted in requirements(asked):
        versions = pins.get(canonicalize_name(wanted.name), [])
        if not versions:
            found.append(f"{lock.name} does not hold {wanted}")
        found += [
            f"{lock.name} pins {wanted.name} {version}, {asked.name} asks for {wanted}"
            for version in versions
            if not wanted.specifier.contains(version, prereleases=True)
        ]
    if len(PIN.findall(text)) > text.count("--hash=sha256:"):
        found.append(f"{lock.name} holds pins without a hash")
    if "index-url" in text or "find-links" in text:
        found.append(f"{lock.name} names a package index")
    return found


def check() -> list[str]:
    return [line for asked, lock in LOCKS.items() for line in differences(asked, lock)]


def main(arguments: list[str]) -> int:
    uv = str(Path(sys.executable).with_name("uv"))
    for asked, lock in LOCKS.items():
        print(f"{asked.name} -> {lock.relative_to(PROJECT)}", flush=True)
        command = [uv, *COMPILE, str(asked.relative_to(PROJECT)), "-o"]
        done = subprocess.run(
            [*command, str(lock.relative_to(PROJECT)), *arguments],
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
