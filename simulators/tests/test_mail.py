"""The mail sink, spoken to by a real SMTP client."""

from __future__ import annotations

import contextlib
import smtplib
import time
from email.message import EmailMessage

import pytest

from simulators.app import Options, Simulators


def message(to="rahim@example.com", subject="আপনার কোড") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.com", to, subject
    mail["Message-ID"] = "<one@example.com>"
    mail.set_content("Your code: ZEN-1")
    mail.add_alternative("<p>Your code: <b>ZEN-1</b></p><script>x()</script>", subtype="html")
    return mail


def send(live, mail=None, timeout=5.0):
    port = live.simulators.mail.port
    with smtplib.SMTP("127.0.0.1", port, timeout=timeout) as client:
        return client.send_message(mail or message())


def kept(live):
    return live.control("mail/messages", "GET")["messages"]


def test_a_message_is_kept_and_told(live):
    send(live)
    (mail,) = kept(live)
    assert (mail["to"], mail["subject"]) == ("rahim@example.com", "আপনার কোড")
    assert mail["message_id"] == "<one@example.com>"
    assert mail["text"].strip() == "Your code: ZEN-1"
    assert "<b>ZEN-1</b>" in mail["html"]
    live.control("mail/messages", "DELETE")
    assert kept(live) == []


def test_the_pages(live):
    assert live.get("/mail/").ok  # empty
    send(live)
    send(live, message(subject="<b>second</b>"))
    inbox = live.get("/mail/").text
    assert inbox.index("&lt;b&gt;second") < inbox.index("আপনার কোড")
    number = kept(live)[0]["id"]
    page = live.get(f"/mail/{number}").text
    assert "sandbox" in page
    assert "<script>" not in page
    html = live.get(f"/mail/{number}/html")
    assert "<b>ZEN-1</b>" in html.text
    policy = html.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert live.get(f"/mail/{number}/raw").headers["Content-Type"].startswith("text/plain")
    assert live.get("/mail/999").status_code == 404


@pytest.mark.parametrize(
    ("mode", "code"),
    [("refuse", 421), ("temporary", 450), ("refuse_rcpt", 550), ("refuse_data", 552)],
)
def test_refusals(live, mode, code):
    live.control("mail/mode", mode=mode, times=1)
    with pytest.raises(smtplib.SMTPException) as raised:
        send(live)
    assert str(code) in str(raised.value)
    assert kept(live) == []
    send(live)
    assert len(kept(live)) == 1


def test_a_connection_dropped_before_the_250_has_delivered(live):
    live.control("mail/mode", mode="drop_before_250", times=1)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(live)
    assert len(kept(live)) == 1


@pytest.mark.parametrize(("mode", "arrived"), [("hang_greeting", 0), ("hang_after_dot", 1)])
def test_silence(live, mode, arrived):
    live.control("mail/mode", mode=mode, seconds=5, times=1)
    started = time.monotonic()
    with contextlib.suppress(smtplib.SMTPException, TimeoutError):
        send(live, timeout=0.5)
    assert time.monotonic() - started < 4
    assert len(kept(live)) == arrived


def test_the_buttons_set_the_mode(live):
    assert live.post("/control/mail/preset", data={"preset": "refuse"}).status_code == 303
    with pytest.raises(smtplib.SMTPException):
        send(live)
    live.control("mail/reset")
    send(live)


def test_text_messages_are_kept_too(live):
    assert live.post("/mail/sms", json={"to": "01711111111", "text": "Code 7"}).ok
    assert kept(live)[0]["text"] == "Code 7"
    assert live.get(f"/mail/{kept(live)[0]['id']}").ok
    assert live.post("/mail/sms", json={"to": ""}).status_code == 400


def test_messages_survive_a_restart(tmp_path):
    first = Simulators(Options(state_dir=tmp_path))
    first.start()
    with smtplib.SMTP("127.0.0.1", first.mail.port, timeout=5) as client:
        client.send_message(message())
    first.stop()
    second = Simulators(Options(state_dir=tmp_path))
    second.start()
    try:
        assert len(second.mail.messages) == 1
    finally:
        second.stop()
