"""Why weights could not be downloaded, in one sentence with a remedy."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from urllib.error import HTTPError, URLError
from urllib.parse import ParseResult, urlparse

from convviz_gui.engine.errors import EngineError, ProblemKind
from convviz_gui.engine.opening.transfer import MEGABYTE, BrokenOffError, Meter, WrongContentError
from convviz_gui.engine.zoo.architecture import Published

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLIENTS = ("huggingface_hub", "httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3")
"""Packages whose exceptions are about the network; which of them huggingface_hub uses depends on its version."""
_OFFLINE = "OfflineModeIsEnabled"
"""huggingface_hub's exception, which is a ConnectionError, for what the user forbade it by HF_HUB_OFFLINE."""


def refusal(published: Published, error: Exception, meter: Meter) -> Exception:
    """What to raise for what went wrong in a download: an `EngineError`, or the error itself if it is our own fault."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, OSError) and not isinstance(error, URLError) and (error.filename or error.errno in _FULL):
        return _no_place(published, error, meter)
    known = isinstance(error, (OSError, ValueError, BrokenOffError, WrongContentError, http.client.HTTPException))
    # The hub's HTTP client wants another package for some kinds of proxies.
    known = known or (isinstance(error, ImportError) and bool(_proxy(published)))
    if not known and type(error).__module__.partition(".")[0] not in _CLIENTS:
        return error
    why = _why(published, error)
    elsewhere = f"download {_page(published)} elsewhere and give it as the weights file"
    hint = f"Check the network connection, or {elsewhere}"
    if isinstance(error, WrongContentError):
        hint = f"Try again later, or {elsewhere}: the network connection or the server changed it"
    elif type(error).__name__ == _OFFLINE:
        hint = f"Unset HF_HUB_OFFLINE to allow a network connection, or {elsewhere}"
    elif 0 < meter.done < meter.total:
        hint = f"Check the network connection and try again, and it goes on from there; or {elsewhere}"
    return EngineError(f"The weights {published.label} could not be downloaded ({why})", hint, ProblemKind.RESOURCE)


def _no_place(published: Published, error: OSError, meter: Meter) -> EngineError:
    variable = "HF_HOME" if published.repository else "TORCH_HOME"
    if error.errno in _FULL:
        came = f" after {meter.done / MEGABYTE:.1f} of {meter.total / MEGABYTE:.1f} MB" if meter.done else ""
        title = f"The disk is full, or a limit on files is reached,{came} of the weights {published.label}"
        hint = f"Free some space and try again, or set {variable} to a folder on another disk"
    else:
        title = f"The weights {published.label} cannot be kept in {error.filename} ({error.strerror})"
        hint = f"Make it writable, or set {variable} to a folder that is"
    return EngineError(title, hint, ProblemKind.RESOURCE)


def _why(published: Published, error: Exception) -> str:
    host = _host(published)
    for one in _chain(error):
        status = one.code if isinstance(one, HTTPError) else getattr(getattr(one, "response", None), "status_code", 0)
        if status:
            return _status(host, int(status))
        match one:
            case BrokenOffError():
                done, total = one.done / MEGABYTE, one.total / MEGABYTE
                return f"the connection to {host} broke off after {done:.1f} of {total:.1f} MB"
            case socket.gaierror():
                return f"the address of {host} cannot be found"
            case ssl.SSLCertVerificationError():
                return f"the certificate of {host} cannot be verified"
            case ConnectionRefusedError():
                return f"{host} refuses the connection"
            case TimeoutError():
                return f"{host} does not answer"
            case ConnectionError() | http.client.IncompleteRead() if type(one).__name__ != _OFFLINE:
                return f"the connection to {host} broke off"
    if type(error).__name__ == _OFFLINE:
        return "HF_HUB_OFFLINE is set"
    # urllib puts brackets around what it has to say.
    text = str(getattr(error, "reason", "") or error).strip()
    first_line = (text.splitlines() or [type(error).__name__])[0][:160].rstrip(".")
    proxy = _proxy(published)
    return f"the proxy {proxy} cannot be used: {first_line}" if proxy else first_line


def _status(host: str, status: int) -> str:
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return f"{host} has no such file"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"{host} asks for a permission that there is none for"
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return "the proxy asks for a password"
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"{host} is overloaded or out of order"
    return f"{host} answers with status {status}"


def _host(published: Published) -> str:
    """Who is asked, and through which proxy."""
    url = _url(published)
    host, proxy = url.hostname or url.geturl(), _proxy(published)
    return f"{host}, through the proxy {proxy}," if proxy else host


def _proxy(published: Published) -> str:
    """The proxy that the environment or the system names for this, without a password; "" if there is none."""
    url = _url(published)
    proxy = urllib.request.getproxies().get(url.scheme, "")
    return "" if urllib.request.proxy_bypass(url.hostname or "") else proxy.rpartition("@")[2]


def _page(published: Published) -> str:
    """Where somebody with a browser finds the file, without a password."""
    url = _url(published)
    path = f"{url.path.rstrip('/')}/{published.repository}" if published.repository else url.path
    return url._replace(netloc=url.netloc.rpartition("@")[2], path=path).geturl()


def _url(published: Published) -> ParseResult:
    from huggingface_hub import constants

    return urlparse(published.url or constants.ENDPOINT)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those behind it, the innermost first: an HTTP client says in its own words what the system said."""
    found = [error]
    while (behind := _behind(found[-1])) is not None and behind not in found:
        found.append(behind)
    yield from reversed(found)


def _behind(error: BaseException) -> BaseException | None:
    reason = getattr(error, "reason", None)
    return reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
