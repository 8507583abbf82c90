"""Requests that other web pages make through a visitor's browser."""

import urllib.parse

from starlette.responses import PlainTextResponse


class SameSite:
    """Refuses requests for another host, and those that pages of another origin have made.

    Any web page can send requests to this machine. A name that its owner makes point here (DNS
    rebinding) is in the `Host` of such a request, and the page's own address in its `Origin`.

    Args:
        app: The ASGI application to protect.
        hosts: Collection of str, the host names of this machine.
    """

    def __init__(self, app, hosts):
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan" or self._is_fine(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            refusal = PlainTextResponse("This page is for its own machine.\n", 403)
            await refusal(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _is_fine(self, scope):
        headers = [(name, value.decode("latin-1")) for name, value in scope["headers"]]
        host = [value for name, value in headers if name == b"host"]
        origins = [value for name, value in headers if name == b"origin"]
        if len(host) != 1 or _name(f"//{host[0]}") not in self._hosts:
            return False
        return all(urllib.parse.urlsplit(origin).netloc == host[0] for origin in origins)


def _name(url):
    try:
        return urllib.parse.urlsplit(url).hostname
    except ValueError:
        return None
