"""A ledger on disk: one JSON file per service, always whole, never half written."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .http import JsonObject


class Store:
    """Writes snapshots behind the caller's back, at most a few times a second.

    A ledger of thousands of rows takes a while to write; a request must not wait for it.
    Stopping writes what is still unwritten, so only a killed process forgets, and at most
    the last fraction of a second.
    """

    pause = 0.1

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._sources: dict[str, Callable[[], str]] = {}
        self._dirty: set[str] = set()
        self._condition = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        if self.folder is None:
            raise LookupError("There is no state folder.")
        return self.folder / f"{name}.json"

    def read(self, name: str) -> JsonObject | None:
        if self.folder is None:
            return None
        try:
            value = json.loads(self.path(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            self.put_aside(name)
            return None
        return value if isinstance(value, dict) else None

    def put_aside(self, name: str) -> None:
        """Not overwritten: somebody may want to know what it held."""
        if self.folder is None:
            return
        self.path(name).replace(self.path(name).with_suffix(".unreadable"))
        print(f"simulators: {name}.json was unreadable and has been put aside", file=sys.stderr)

    def register(self, name: str, dump: Callable[[], str]) -> None:
        self._sources[name] = dump

    def touch(self, name: str) -> None:
        if self.folder is None:
            return
        with self._condition:
            self._dirty.add(name)
            self._condition.notify()

    def start(self) -> None:
        if self.folder is not None:
            self._thread = threading.Thread(target=self._run, name="store", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        with self._condition:
            self._stopped = True
            self._condition.notify()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self.write_dirty()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._dirty and not self._stopped:
                    self._condition.wait()
                if self._stopped:
                    return
            self.write_dirty()
            time.sleep(self.pause)

    def write_dirty(self) -> None:
        with self._condition:
            names, self._dirty = self._dirty, set()
        for name in sorted(names):
            self._write(name, self._sources[name]())

    def _write(self, name: str, text: str) -> None:
        target = self.path(name)
        scratch = target.with_suffix(".tmp")
        scratch.write_text(text, encoding="utf-8")
        os.replace(scratch, target)  # noqa: PTH105 - the atomic rename is the point
