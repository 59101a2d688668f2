"""Install the locked requirements into the Python that runs this, when a lock has changed.

Runs before anything is installed: standard library only, and no import from this project.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent.parent
RUN: Final = PROJECT / "requirements.txt"
DEVELOPER: Final = PROJECT / "requirements" / "dev.txt"
STAMP: Final = Path(sys.prefix) / "installed-locks.json"
UV_SECONDS: Final = 40
TELL_EVERY: Final = 10.0
NEEDS_DEVELOPER: Final = ("check", "lock")


def main(command: str) -> None:
    locks = [RUN]
    if command in NEEDS_DEVELOPER or os.environ.get("BDV_DEV"):
        locks.append(DEVELOPER)
    done = _stamp()
    for lock in locks:
        digest = hashlib.sha256(lock.read_bytes()).hexdigest()
        if done.get(lock.name) != digest:
            install(lock)
            done[lock.name] = digest
            STAMP.write_text(json.dumps(done))


def install(lock: Path) -> None:
    started = time.monotonic()
    pins = len(re.findall(r"^[\w.-]+==", lock.read_text(), re.MULTILINE))
    name = lock.relative_to(PROJECT)
    if uv := _uv():
        print(f"Installing {pins} locked packages of {name} with uv", flush=True)
        command = [uv, "pip", "install", "--python", sys.executable, "--require-hashes", "--quiet"]
        if _run([*command, "-r", str(lock)]) == 0:
            return _tell(started)
        print("uv could not; pip tries", flush=True)
    print(f"Installing {pins} locked packages of {name} with pip, about a minute", flush=True)
    command = [sys.executable, "-m", "pip", "install", "--require-hashes", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "-r", str(lock)]
    if _run(command):
        sys.exit(
            "The locked packages could not be installed (the reason stands above): they come from "
            "the package index, so the network, or PIP_INDEX_URL for a mirror, must be right."
        )
    return _tell(started)


def _uv() -> str | None:
    """The uv of this environment or of the machine; else the locked one, if it comes quickly."""
    ours = Path(sys.executable).with_name("uv")
    if ours.exists():
        return str(ours)
    if found := shutil.which("uv"):
        return found
    block = re.search(r"^uv==(?:.*\\\n)+.*", DEVELOPER.read_text(), re.MULTILINE)
    if block is None:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write(block[0] + "\n")
        wanted.flush()
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-input"]
        command += ["--disable-pip-version-check", "--timeout", "5", "--retries", "0"]
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                [*command, "--require-hashes", "-r", wanted.name],
                check=False,
                timeout=UV_SECONDS,
                stderr=subprocess.DEVNULL,
            )
    return str(ours) if ours.exists() else None


def _run(command: list[str]) -> int:
    """Run it, and show that it is still at work."""
    started = time.monotonic()
    # uv trusts its own list of certificates unless told to trust the machine's.
    env = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    with subprocess.Popen(command, env=env) as process:
        while True:
            try:
                return process.wait(TELL_EVERY)
            except subprocess.TimeoutExpired:
                print(f"  ... {time.monotonic() - started:.0f} s", flush=True)


def _tell(started: float) -> None:
    print(f"Installed in {time.monotonic() - started:.1f} s", flush=True)


def _stamp() -> dict[str, str]:
    with suppress(OSError, ValueError):
        found = json.loads(STAMP.read_text())
        if isinstance(found, dict):
            return found
    return {}


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
