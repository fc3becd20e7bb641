"""A server that cannot show that it is the one that is meant gets no request, and gives no file."""

import datetime as dt
import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sources.fetch import Patience, UpstreamError, fetch, get
from sources.source import RawFile
from sources.upstream import s3
from sources.upstream.guest import ALONE
from sources.upstream.look import look

CONTENT = b"a raw file\n" * 100
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
HERE = x509.IPAddress(ip_address("127.0.0.1"))
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made for a test")])


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *args: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def url(self, path: str) -> str:
        return f"https://127.0.0.1:{self.server_port}{path}"


def certificate(folder: Path, name: x509.GeneralName = HERE, until: dt.timedelta = DAY) -> Path:
    """Write a certificate that vouches for itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 10 * DAY)
        .not_valid_after(NOW + until)
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(made.public_bytes(pem) + private)
    return path


@contextmanager
def serving(shown: Path) -> Iterator[_Server]:
    """Serve the content to whoever takes a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown)
    with _Server() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def trust(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine take a certificate for one of an authority."""
    for name in ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(path))


def impatient() -> Patience:
    """Patience that fails the test if it is needed: what does not hold now will not in a minute."""
    return Patience(read_timeout=5.0, sleep=lambda _: pytest.fail("asked again"))


def test_a_certificate_that_holds_gives_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the tests below: trusted, in time, and of this host."""
    shown = certificate(tmp_path)
    trust(shown, monkeypatch)
    with serving(shown) as server:
        fetch(RawFile(server.url("/a"), "a"), tmp_path / "partial", patience=impatient())
    assert (tmp_path / "partial").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("name", "until", "trusted", "told"),
    [
        (HERE, DAY, False, "self-signed certificate"),
        (HERE, -DAY, True, "certificate has expired"),
        (x509.DNSName("upstream.example.org"), DAY, True, "not valid for '127.0.0.1'"),
    ],
    ids=["self-signed", "expired", "of another host"],
)
def test_a_certificate_that_does_not_hold_is_final(
    name: x509.GeneralName,
    until: dt.timedelta,
    trusted: bool,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One attempt, which says what is wrong and what to check; nothing was asked, nothing is written."""
    shown = certificate(tmp_path, name, until)
    if trusted:
        trust(shown, monkeypatch)
    partial = tmp_path / "downloads" / "partial"
    partial.parent.mkdir()
    with serving(shown) as server:
        url = server.url("/a")
        for ask in (
            lambda: fetch(RawFile(url, "a"), partial, patience=impatient()),
            lambda: get(url, patience=impatient()),
            lambda: look(url, ALONE, "HEAD"),
        ):
            with pytest.raises(UpstreamError, match="certificate does not hold") as caught:
                ask()
            assert told in str(caught.value)
            assert not caught.value.retry_later
        assert server.asked == []
    assert [path for path in partial.parent.iterdir() if path.stat().st_size] == []


def test_a_certificate_that_does_not_hold_is_final_for_s3_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Boto's own error for it is no end of the connection that may pass."""
    with serving(certificate(tmp_path)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url(""))
        s3.client.cache_clear()
        with pytest.raises(UpstreamError, match="self-signed certificate") as caught:
            get("s3://open/a", patience=impatient())
        s3.client.cache_clear()
    assert not caught.value.retry_later
