"""Where a stranger's address may lead us, with real sockets: to the public internet only (SSRF)."""

import ipaddress
import socket
import ssl
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core import outside as way
from core.http import Outbound
from core.outside import is_public, objection, outside, refusal_in
from core.providers import OutcomeUnknown, Unavailable

PRIVATE = [
    "0.0.0.1", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::8.8.8.8",
    "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:808:808::1",
    "3fff::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "no",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "103.4.92.1", "172.15.0.1", "172.32.0.1", "2606:4700::1111"]


@pytest.mark.parametrize("address", PRIVATE)
def test_not_the_public_internet(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "http://shop.example.com/", "ftp://shop.example.com/", "https://", "https:///x",
        "https://user@shop.example.com/", "https://u:p@shop.example.com/", "https://127.0.0.1/",
        "https://[::1]/", "https://10.0.0.8:8443/x", "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:7f00:1]/", "https://shop.example.com/#x", "https://shop.example.com:0/",
        "https://shop.example.com:99999/", "https://shop.example.com/a b", "https://shöp.example/",
        "https://shop.example.com/" + "x" * 500, "https://[", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_an_address_nobody_may_give_us(url):
    assert objection(url)


@pytest.mark.parametrize("url", ["https://shop.example.com/hooks?x=1", "https://8.8.8.8:8443/"])
def test_an_address_that_is_taken(url):
    assert objection(url) == ""


def test_this_machine_only_where_a_setting_allows_it(settings):
    assert objection("http://127.0.0.1:8100/x")
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    assert objection("http://127.0.0.1:8100/x") == ""
    assert objection("https://127.0.0.1:8100/x") == ""
    assert objection("http://10.0.0.1/x")
    assert objection("http://8.8.8.8/x")


class Receiver:
    """Whatever it is told to be, on a port of this machine; `heard` is what reached it."""

    def __init__(self, answer, context=None):
        self.heard, self.hosts = [], []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.answer, self.context = answer, context
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(peer,), daemon=True).start()

    def _one(self, peer):
        try:
            if self.context is not None:
                peer = self.context.wrap_socket(peer, server_side=True)
            with peer:
                said = b""
                while not said.endswith(b"{}") and (more := peer.recv(65536)):
                    said += more
                self.heard.append(said)
                self.answer(peer)
        except OSError:
            self.heard.append(b"")


@contextmanager
def receiver(answer, context=None):
    made = Receiver(answer, context)
    with closing(made.socket):
        yield made


def ok(peer):
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def ask(url, seconds=2.0):
    with outside("test", seconds=seconds) as out:
        return out.send(requests.Request("POST", url, data=b"{}"), repeatable=True)


@pytest.fixture
def _loopback(settings):
    settings.WEBHOOK_ALLOW_LOOPBACK = True


@pytest.mark.usefixtures("_loopback")
def test_an_answer_comes_back():
    with receiver(ok) as there:
        assert ask(f"http://127.0.0.1:{there.port}/x").status == 200
        assert there.heard[0].startswith(b"POST /x HTTP/1.1")


@pytest.mark.usefixtures("_loopback")
def test_a_redirect_is_not_followed():
    with receiver(ok) as inner:
        location = f"http://127.0.0.1:{inner.port}/".encode()

        def elsewhere(peer):
            peer.sendall(
                b"HTTP/1.1 307 X\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
            )

        with receiver(elsewhere) as there:
            assert ask(f"http://127.0.0.1:{there.port}/").status == 307
        assert inner.heard == []


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nothing_reaches_this_machine(scheme, host):
    with receiver(ok) as there:
        with pytest.raises(Unavailable) as caught:
            ask(f"{scheme}://{host}:{there.port}/")
        assert refusal_in(caught.value) == way.NOT_PUBLIC
        assert there.heard == []


def resolver(monkeypatch, *answers):
    """A name server that gives one answer after the other; how often it was asked."""
    asked, real = [], socket.getaddrinfo

    def lookup(host, port, *args, **kwargs):
        if host != "hooks.example.com":
            return real(host, port, *args, **kwargs)
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        kinds = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            (kinds[ipaddress.ip_address(ip).version], socket.SOCK_STREAM, 6, "", (ip, port))
            for ip in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return asked


def test_a_name_that_leads_inside_is_refused(monkeypatch):
    with receiver(ok) as there:
        resolver(monkeypatch, ["127.0.0.1"])
        with pytest.raises(Unavailable) as caught:
            ask(f"https://hooks.example.com:{there.port}/")
        assert refusal_in(caught.value) == way.NOT_PUBLIC
        assert there.heard == []


def test_one_bad_address_among_good_ones_is_enough(monkeypatch):
    with receiver(ok) as there:
        resolver(monkeypatch, ["8.8.8.8", "127.0.0.1"])
        with pytest.raises(Unavailable) as caught:
            ask(f"https://hooks.example.com:{there.port}/")
        assert refusal_in(caught.value) == way.NOT_PUBLIC


def test_a_name_that_changes_between_check_and_connection(monkeypatch):
    """The first answer is public, every later one is this machine: only the first one counts."""
    with receiver(ok) as there:
        asked = resolver(monkeypatch, ["203.0.114.77"], ["127.0.0.1"])
        tried, real = [], socket.socket.connect

        def connect(self, place):
            tried.append(place[0])
            if place[0] == "203.0.114.77":
                raise ConnectionRefusedError
            return real(self, place)

        monkeypatch.setattr(socket.socket, "connect", connect)
        with pytest.raises(Unavailable):
            ask(f"https://hooks.example.com:{there.port}/")
        assert (len(asked), tried, there.heard) == (1, ["203.0.114.77"], [])


def test_a_name_that_nobody_knows():
    with pytest.raises(Unavailable) as caught:
        ask("https://nobody.invalid/")
    assert refusal_in(caught.value) == way.NO_NAME


@pytest.mark.usefixtures("_loopback")
def test_nobody_listens():
    with closing(socket.create_server(("127.0.0.1", 0))) as there:
        port = there.getsockname()[1]
    with pytest.raises(Unavailable):
        ask(f"http://127.0.0.1:{port}/")


@pytest.mark.usefixtures("_loopback")
def test_proxies_of_the_environment_are_not_used(monkeypatch):
    with receiver(ok) as proxy, receiver(ok) as there:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        assert ask(f"http://127.0.0.1:{there.port}/").status == 200
        assert proxy.heard == []


def hangs(peer):
    time.sleep(20)


def drips_headers(peer):
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(100):
        peer.sendall(b"X-A: b\r\n")
        time.sleep(0.2)


def drips_a_body(peer):
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    for _ in range(100):
        peer.sendall(b"x")
        time.sleep(0.2)


def drips_to_the_end(peer):
    peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(100):
        peer.sendall(b"x")
        time.sleep(0.2)


@pytest.mark.usefixtures("_loopback")
@pytest.mark.parametrize("answer", [hangs, drips_headers, drips_a_body, drips_to_the_end])
def test_everything_together_takes_so_long_and_no_longer(answer):
    with receiver(answer) as there:
        started = time.monotonic()
        with pytest.raises(Unavailable):
            ask(f"http://127.0.0.1:{there.port}/", seconds=1.0)
        assert time.monotonic() - started < 8


@pytest.mark.parametrize("answer", [hangs, drips_headers, drips_a_body, drips_to_the_end])
def test_no_provider_holds_a_worker_longer_either(answer):
    with receiver(answer) as there:
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            Outbound("test", answer_seconds=1.0).send(
                requests.Request("POST", f"http://127.0.0.1:{there.port}/"), repeatable=False
            )
        assert time.monotonic() - started < 8


@pytest.mark.usefixtures("_loopback")
def test_an_endless_answer_is_not_read_to_its_end():
    sent = []

    def endless(peer):
        peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            sent.append(peer.send(b"x" * 65536))

    with receiver(endless) as there, pytest.raises(Unavailable):
        ask(f"http://127.0.0.1:{there.port}/", seconds=5.0)
    assert sum(sent) < 10_000_000


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """A certificate for `hooks.example.com`, signed by itself; its file, and a server's context."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example.com")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return str(pem), context


def ask_tls(url, pem):
    with outside("test", seconds=3.0) as out:
        out.session.verify = pem or True
        return out.send(requests.Request("POST", url, data=b"{}"), repeatable=True)


@pytest.mark.usefixtures("_loopback")
def test_tls_proves_the_name_and_not_the_address(certified, monkeypatch):
    pem, context = certified
    names = []
    context.sni_callback = lambda sock, name, ctx: names.append(name)
    resolver(monkeypatch, ["127.0.0.1"])
    with receiver(ok, context) as there:
        url = f"https://hooks.example.com:{there.port}/"
        assert ask_tls(url, pem).status == 200
        assert names == ["hooks.example.com"]
        with pytest.raises(Unavailable, match="no connection"):
            ask_tls(url, None)  # nobody we trust has signed it
        with pytest.raises(Unavailable, match="no connection"):
            ask_tls(f"https://localhost:{there.port}/", pem)  # rightly signed, for another name
        assert [line for line in there.heard if line.startswith(b"POST")] == [there.heard[0]]
