"""Connections that are kept from file to file, through the proxies and by the certificates of the environment.

A process has one set of them, which its threads share. What the environment says is read as requests
and curl read it: ``HTTP_PROXY`` and its kin, ``REQUESTS_CA_BUNDLE``, ``CURL_CA_BUNDLE``.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from sources.upstream.timely import timely

HOSTS = 32
"""Hosts whose connections are kept; those asked last."""

OF_A_HOST = 64
"""Connections to one host that are kept; how many there may be is for its pace to say."""

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
NAMES = (*PROXIES, *map(str.upper, PROXIES), *CERTIFICATES)


def connections_to(url: str) -> urllib3.PoolManager:
    """Return the connections by which an address is asked; its answers' headers are there in time."""
    parts = urlsplit(url)
    environment = tuple(map(os.environ.get, NAMES))
    return _to_host(os.getpid(), f"{parts.scheme}://{parts.netloc}/", environment)


@lru_cache(maxsize=1024)
def _to_host(process: int, url: str, environment: tuple[str | None, ...]) -> urllib3.PoolManager:
    """Remember what a host is reached through, as looking that up takes longer than asking it."""
    proxies = requests.utils.get_environ_proxies(url, no_proxy=None)
    chosen = filter(None, environment[-len(CERTIFICATES) :])
    certificates = next(chosen, requests.utils.DEFAULT_CA_BUNDLE_PATH)
    return _through(process, requests.utils.select_proxy(url, proxies), certificates)


@lru_cache(maxsize=8)
def _through(process: int, proxy: str | None, certificates: str) -> urllib3.PoolManager:
    del process  # one that was forked off may not use its parent's connections
    kind = "ca_cert_dir" if Path(certificates).is_dir() else "ca_certs"
    safe: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED", kind: certificates}
    if not proxy:
        return timely(urllib3.PoolManager(HOSTS, maxsize=OF_A_HOST, **safe))
    # That of requests, as it knows of the proxy's own user and password, and of SOCKS.
    adapter = HTTPAdapter(HOSTS, OF_A_HOST)
    address = requests.utils.prepend_scheme_if_needed(proxy, "http")  # type: ignore[no-untyped-call]
    proxied = adapter.proxy_manager_for(address, **safe)
    return timely(proxied) if isinstance(proxied, urllib3.ProxyManager) else proxied
