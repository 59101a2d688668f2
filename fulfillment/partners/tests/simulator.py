"""The simulators as a test meets them: another process, and its control API over HTTP."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

ROOT: Final = Path(__file__).resolve().parents[3]
CREDENTIALS: Final = {
    "PAYSTATION_MERCHANT_ID": "104-1653730183",
    "PAYSTATION_PASSWORD": "sim-password-of-paystation",
    "BKASH_APP_KEY": "sim-app-key",
    "BKASH_APP_SECRET": "sim-app-secret",
    "BKASH_USERNAME": "sim-username",
    "BKASH_PASSWORD": "sim-password-of-bkash",
    "SSLCOMMERZ_STORE_ID": "simstore",
    "SSLCOMMERZ_STORE_PASSWORD": "sim-password-of-sslcommerz",
    "NAGAD_MERCHANT_ID": "683002007104225",
    # Made for this run by the tests' plugin.
    "NAGAD_MERCHANT_PRIVATE_KEY": os.environ["NAGAD_MERCHANT_PRIVATE_KEY"],
    "NAGAD_GATEWAY_PUBLIC_KEY": os.environ["NAGAD_GATEWAY_PUBLIC_KEY"],
    "NAGAD_SIMULATOR_PRIVATE_KEY": os.environ["NAGAD_SIMULATOR_PRIVATE_KEY"],
    "DCB_BDAPPS_APP_ID": "APP_009001",
    "DCB_BDAPPS_PASSWORD": "sim-password-of-bdapps",
    "DCB_APPLINK_APP_ID": "APP_009002",
    "DCB_APPLINK_PASSWORD": "sim-password-of-applink",
    "ZENDIT_API_KEY": "sand_sim_key",
    "RELOADLY_CLIENT_ID": "sim-client",
    "RELOADLY_CLIENT_SECRET": "sim-client-secret",
    "RELOADLY_AUDIENCE": "https://giftcards-sandbox.reloadly.com",
    "RELOADLY_WEBHOOK_SECRET": "sim-reloadly-webhook-secret",
    "POINTS_BRIDGE_API_KEY": "sim-points-key",
}
START_SECONDS: Final = 30.0
#: An adapter that talks to a simulator waits no longer than this, nor does a test of silence.
ANSWER_SECONDS: Final = 1.5
#: Where nobody listens.
NOWHERE: Final = "http://127.0.0.1:1"

#: Faults of the simulators' frame after which nobody can know whether the call did its work.
UNSURE: Final = (
    "error_500_before",
    "error_500_after",
    "error_503_before",
    "error_503_after",
    "message_before",
    "message_after",
    "html_before",
    "html_after",
    "empty_before",
    "empty_after",
    "invalid_json_before",
    "invalid_json_after",
    "hang_before",
    "hang_after",
    "cut_before",
    "cut_after",
    "cut_half",
    "huge_after",
    "slow",
)


@dataclass(frozen=True, slots=True)
class Simulator:
    url: str

    def call(self, path: str, **body: object) -> Any:
        answer = requests.post(f"{self.url}/control/{path}", json=body, timeout=10)
        assert answer.ok, f"{path} {body}: {answer.text}"
        return answer.json()

    def read(self, path: str) -> Any:
        answer = requests.get(f"{self.url}/control/{path}", timeout=10)
        assert answer.ok, f"{path}: {answer.text}"
        return answer.json()

    def fault(self, service: str, operation: str, fault: str, **options: object) -> None:
        """What every call of that operation meets from now on."""
        seconds = {"seconds": 2 * ANSWER_SECONDS} if fault.startswith(("hang", "slow")) else {}
        wish = {"operation": operation, "fault": fault, **seconds, **options}
        self.call(f"{service}/faults", **wish)

    def heal(self, service: str) -> None:
        """No fault any more."""
        answer = requests.delete(f"{self.url}/control/{service}/faults", timeout=10)
        assert answer.ok, answer.text

    def reset(self, service: str) -> None:
        self.call(f"{service}/reset")


@contextmanager
def running(folder: Path) -> Iterator[Simulator]:
    """Start `python -m simulators` with its ledgers in `folder`, stop it afterwards."""
    port = free_port()
    command = [sys.executable, "-m", "simulators", "--port", str(port)]
    command += ["--smtp-port", str(free_port()), "--state-dir", str(folder)]
    log = folder / "simulators.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | CREDENTIALS, stdout=output, stderr=output
        )
        try:
            wait_until_up(f"http://127.0.0.1:{port}", process, log)
            yield Simulator(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            if requests.get(f"{url}/healthz", timeout=1).ok:
                return
        except requests.RequestException:
            time.sleep(0.05)
    raise RuntimeError(f"The simulators did not come up:\n{log.read_text(errors='replace')}")


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
