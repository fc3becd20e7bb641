"""An S3 on this machine (moto) that misbehaves as told."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>{}</Message></Error>"
MESSAGE = "the server's own words, naming AKIAUSERSOWNKEY"

Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass
class S3Upstream:
    """Takes a fault off ``faults`` for each request; ``None`` is none.

    A fault is ``("refuse", status, code)``, ``("cut", bytes)`` of the body, or ``("call", function)``
    before an honest answer. With ``requester_pays`` requests that do not offer to pay are denied;
    with ``private`` those that are not signed. ``requests`` keeps their headers of interest.
    """

    url: str = ""
    faults: list[tuple[Any, ...] | None] = field(default_factory=list)
    requester_pays: bool = False
    private: bool = False
    requests: list[dict[str, str]] = field(default_factory=list)
    honest: App | None = None
    off: bool = False

    def put(self, key: str, content: bytes) -> None:
        """Put an object into the bucket, without faults."""
        self.off = True
        self.client().put_object(Bucket="open", Key=key, Body=content)
        self.off = False

    def client(self) -> Any:
        """Return a client of this server."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="AKIATEST",
            aws_secret_access_key="secret-of-the-test",
        )

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        assert self.honest is not None
        if self.off:
            return self.honest(environ, start_response)
        names = ("HTTP_RANGE", "HTTP_IF_MATCH", "HTTP_AUTHORIZATION", "HTTP_X_AMZ_REQUEST_PAYER")
        seen = {name: str(environ[name]) for name in names if name in environ}
        self.requests.append({**seen, "agent": str(environ.get("HTTP_USER_AGENT"))})
        if (self.private and "HTTP_AUTHORIZATION" not in seen) or (
            self.requester_pays and "HTTP_X_AMZ_REQUEST_PAYER" not in seen
        ):
            return _refused(start_response, "403 Forbidden", "AccessDenied")
        fault = self.faults.pop(0) if self.faults else None
        if fault is None:
            return self.honest(environ, start_response)
        if fault[0] == "refuse":
            return _refused(start_response, fault[1], fault[2])
        if fault[0] == "call":
            fault[1]()
            return self.honest(environ, start_response)
        return _cut(self.honest(environ, start_response), fault[1])


def _refused(start_response: Callable[..., Any], status: str, code: str) -> list[bytes]:
    body = ERROR.format(code, MESSAGE).encode()
    start_response(status, [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
    return [body]


def _cut(body: Iterable[bytes], at: int) -> Iterator[bytes]:
    yield b"".join(body)[:at]
    raise ConnectionAbortedError


class _Quiet(WSGIRequestHandler):
    """Says nothing, and hangs up where an answer is cut."""

    def log(self, *_: object) -> None:
        """Keep quiet."""

    def run_wsgi(self) -> None:
        """Answer, and close the connection behind what was cut."""
        super().run_wsgi()


@contextmanager
def serving_s3() -> Iterator[S3Upstream]:
    """Run an S3 with one bucket, ``open``, in a thread."""
    upstream = S3Upstream(honest=DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, upstream, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    upstream.url = f"http://127.0.0.1:{server.server_port}"
    upstream.off = True
    upstream.client().create_bucket(Bucket="open", ACL="public-read")
    upstream.off = False
    try:
        yield upstream
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
