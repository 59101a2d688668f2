"""Faults of the frame, the control API, and a ledger that survives a restart."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from simulators.app import CONTRACTS, Options, Simulators
from simulators.frame.faults import HUGE, FaultBook, FaultRefused
from simulators.frame.http import with_query
from simulators.frame.service import Environment
from simulators.frame.state import Store
from simulators.zendit import Zendit

KEY = {"Authorization": "Bearer sand_demo"}
OFFER = {"offerId": "NETFLIX_500"}
BUY = "/zendit/v1/vouchers/purchases"
ROOT = Path(__file__).resolve().parents[2]


def buy(live, number: str) -> requests.Response:
    return live.post(BUY, headers=KEY, json={**OFFER, "transactionId": number})


@pytest.mark.parametrize(
    ("fault", "status", "check"),
    [
        ("error_500", 500, lambda body: b"message" in body),
        ("error_503", 503, lambda body: b"message" in body),
        ("error_502", 502, lambda body: body.startswith(b"<!doctype html>")),
        ("message", 200, lambda body: list(json.loads(body)) == ["message"]),
        ("html", 200, lambda body: body.startswith(b"<!doctype html>")),
        ("empty", 200, lambda body: body == b""),
        ("invalid_json", 200, lambda body: body.endswith(b", ")),
        ("huge", 200, lambda body: len(body) > HUGE),
    ],
)
@pytest.mark.parametrize("when", ["", "_before", "_after"])
def test_a_spoiled_answer_with_and_without_the_work(live, fault, status, check, when):
    live.fault("zendit", "purchase", fault + when, times=1)
    answer = buy(live, "A1")
    assert answer.status_code == status
    assert check(answer.content)
    known = live.get(f"{BUY}/A1", headers=KEY).status_code
    assert known == (200 if when == "_after" else 404)
    assert live.control("zendit/faults", "GET") == {"faults": []}


@pytest.mark.parametrize(
    ("fault", "done"),
    [("cut", False), ("cut_after", True), ("hang", False), ("hang_after", True)],
)
def test_no_answer_with_and_without_the_work(live, fault, done):
    live.fault("zendit", "purchase", fault, times=1, seconds=0.05)
    with pytest.raises(requests.ConnectionError):
        buy(live, "A1")
    assert (live.get(f"{BUY}/A1", headers=KEY).status_code == 200) is done


def test_a_client_gives_up_on_a_hanging_call_and_the_charge_is_there(live):
    live.fault("zendit", "purchase", "hang_after", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            live.url + BUY, headers=KEY, json={**OFFER, "transactionId": "A1"}, timeout=0.1
        )
    live.control("zendit/advance", seconds=1)
    assert live.ledger("zendit")["charges"] == {"A1": 1}


def test_half_an_answer_a_wrong_type_and_a_slow_one(live):
    live.fault("zendit", "purchase", "cut_half", times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        buy(live, "A1")
    live.fault("zendit", "purchase", "wrong_type", times=1)
    assert buy(live, "A2").headers["Content-Type"].startswith("text/html")
    live.fault("zendit", "purchase", "slow", times=1, seconds=0.1)
    started = time.monotonic()
    assert buy(live, "A3").json()["status"] == "ACCEPTED"
    assert time.monotonic() - started >= 0.1


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("unauthorized", 401, "NOT_AUTHORIZED"),
        ("forbidden", 403, "FORBIDDEN"),
        ("not_found_404", 404, "NOT_FOUND"),
        ("rate_limited", 429, "RATE_LIMITED"),
    ],
)
def test_refusals_have_the_shape_of_the_service(live, fault, status, code):
    live.fault("zendit", "*", fault, times=1, retry_after=7)
    answer = buy(live, "A1")
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert answer.headers.get("Retry-After") == ("7" if status == 429 else None)


def test_faults_follow_each_other_and_match(live):
    live.fault("zendit", "purchase", "error_500", times=1)
    live.fault("zendit", "purchase", "error_503", times=2, match={"reference": "A1"})
    assert [buy(live, number).status_code for number in ("A1", "A2", "A1", "A1", "A1")] == [
        *(500, 200, 503, 503),
        200,
    ]


def test_faults_can_be_listed_and_taken_away(live):
    first = live.fault("zendit", "get", "not_found")["id"]
    live.fault("zendit", "*", "slow", seconds=0)
    assert live.call("DELETE", f"/control/zendit/faults/{first}").ok
    assert [each["fault"] for each in live.control("zendit/faults", "GET")["faults"]] == ["slow"]
    assert live.call("DELETE", "/control/zendit/faults").json() == {"faults": []}
    assert live.call("DELETE", "/control/zendit/faults/77").status_code == 404


@pytest.mark.parametrize(
    "wish",
    [
        {"operation": "nothing", "fault": "cut"},
        {"operation": "purchase", "fault": "nothing"},
        {"operation": "purchase", "fault": "cut", "times": 0},
        {"operation": "purchase", "fault": "cut", "match": "A1"},
    ],
)
def test_a_fault_that_does_not_exist_is_refused(wish):
    with pytest.raises(FaultRefused):
        FaultBook({"purchase": {}}).add(wish)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("zendit/faults", {"operation": "purchase", "fault": "nothing"}, 400),
        ("zendit/settings", {"nothing": 1}, 400),
        ("zendit/settings", {"done_after": "soon"}, 400),
        ("zendit/preset", {"preset": "nothing"}, 400),
        ("zendit/advance", {"seconds": "soon"}, 400),
        ("zendit/nothing", {}, 404),
        ("nothing/reset", {}, 404),
        ("mail/mode", {"mode": "nothing"}, 400),
    ],
)
def test_control_says_what_is_wrong(live, path, body, status):
    answer = live.post(f"/control/{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_control_tells_what_can_be_asked_for(live):
    told = live.control("", "GET")
    assert set(told) == {contract.name for contract in CONTRACTS} | {"mail"}
    assert "out_of_stock" in told["zendit"]["operations"]["purchase"]
    assert live.post("/control/zendit/preset", json={"preset": "down"}).json()["preset"] == "down"
    assert buy(live, "A1").status_code == 503
    calls = live.control("zendit/calls", "GET")
    assert calls["counts"]["purchase"] == 1
    assert calls["calls"][-1]["fault"] == "error_503"


def test_the_index_page_switches_faults_and_leaves_others_outside(live):
    pressed = live.post("/control/zendit/preset", data={"preset": "out_of_stock"})
    assert (pressed.status_code, pressed.headers["Location"]) == (303, "/#zendit")
    page = live.get("/")
    assert "out_of_stock" in page.text
    assert "script" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert live.post("/control/reset", headers=foreign).status_code == 403


def test_files_and_paths_that_are_not_there(live):
    assert live.get("/static/page.css").headers["Content-Type"].startswith("text/css")
    for path in ("/static/../app.py", "/static/nothing.css", "/nothing", "/zendit/nothing"):
        assert live.get(path).status_code == 404
    assert live.get("/zendit/v1/vouchers/purchases/").status_code == 404
    assert live.post("/zendit/v1/balance").status_code == 405
    assert live.post("/zendit/v1/balance", data=b"x" * (3 * 1024 * 1024)).status_code == 413


def test_a_query_is_appended_to_what_is_there():
    assert with_query("http://a/b", {"c": "1"}) == "http://a/b?c=1"
    assert with_query("http://a/b?x=2", {"c": "1"}) == "http://a/b?x=2&c=1"
    assert with_query("http://a/b?", {"c": "1"}) == "http://a/b?c=1"


def test_a_restart_keeps_the_ledger_and_finishes_what_was_under_way(tmp_path):
    first = Simulators(Options(state_dir=tmp_path))
    first.start()
    zendit = first.services["zendit"]
    zendit.change_settings({"done_after": 0.2})
    body = {**OFFER, "transactionId": "A1"}
    assert requests.post(first.url + BUY, headers=KEY, json=body, timeout=5).ok
    first.stop()
    second = Simulators(Options(state_dir=tmp_path))
    second.start()
    try:
        time.sleep(0.25)
        ledger = second.services["zendit"].ledger()
        assert ledger["charges"] == {"A1": 1}
        assert [entry["transactionId"] for entry in ledger["codes"]] == ["A1"]
        again = requests.post(second.url + BUY, headers=KEY, json=body, timeout=5)
        assert again.status_code == 400
    finally:
        second.stop()


def test_an_unreadable_ledger_is_put_aside(tmp_path):
    (tmp_path / "zendit.json").write_text('{"half')
    simulators = Simulators(Options(state_dir=tmp_path))
    simulators.start()
    simulators.stop()
    assert (tmp_path / "zendit.unreadable").read_text() == '{"half'


def test_a_taken_port_is_said_in_one_sentence_and_a_signal_stops_at_once():
    command = [sys.executable, "-m", "simulators", "--port"]
    with subprocess.Popen(
        [*command, "0", "--smtp-port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http")).rstrip("/,")
        port = url.rpartition(":")[2]
        second = subprocess.run(
            [*command, port, "--smtp-port", "0"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert second.returncode == 1
        assert second.stderr.count("\n") == 1
        assert port in second.stderr
        hanging = {"operation": "*", "fault": "hang"}
        requests.post(f"{url}/control/zendit/faults", json=hanging, timeout=5)
        ask = threading.Thread(target=ask_in_vain, args=(f"{url}/zendit/v1/balance",))
        ask.start()
        time.sleep(0.1)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0
        assert time.monotonic() - started < 10
        ask.join()


def ask_in_vain(url: str) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(url, headers=KEY, timeout=20)


def test_a_client_that_hangs_up_disturbs_nobody(live):
    port = live.simulators.server.port
    with socket.create_connection(("127.0.0.1", port)) as rude:
        rude.sendall(b"POST /zendit/v1/balance HTTP/1.1\r\nContent-Length: 10\r\n\r\nab")
    assert live.get("/healthz").text == "ok\n"


def test_a_ledger_of_an_older_shape_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "zendit.json").write_text('{"ledger": {"purchases": [{"transactionId": "A1"}]}}')
    service = Zendit(Environment({}, Store(tmp_path), lambda: None))
    assert service.ledger()["purchases"] == []
    assert (tmp_path / "zendit.unreadable").exists()
