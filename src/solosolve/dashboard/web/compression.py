"""Compresses what the server sends: scripts, style sheets, pages, exports and the answers of callbacks."""

from __future__ import annotations

import gzip
from functools import lru_cache

from flask import Flask, Response, request

from solosolve.dashboard.web.scripts import STATIC_PATHS

MIN_BYTES = 1_000
"""Below this, compression saves less than a network packet."""

_TYPES = {
    "application/javascript", "application/json", "image/svg+xml", "text/css", "text/csv", "text/html",
    "text/javascript", "text/plain",
}  # fmt: skip
_QUICK_LEVEL, _BEST_LEVEL = 5, 9
_KEPT_FILES = 64


def compress(server: Flask) -> None:
    """Compresses each whole answer of text for browsers that accept gzip; streams and parts of files stay as they are.

    Gzip comes with Python. Brotli would make the scripts a tenth smaller, at the price of one more compiled library.
    """

    @server.after_request
    def shrink(response: Response) -> Response:
        if response.status_code != 200 or response.mimetype not in _TYPES or response.content_encoding:
            return response
        is_file = request.path.startswith(STATIC_PATHS)
        if is_file:
            # Flask would copy an asset from disk to the browser as it is.
            response.direct_passthrough = False
        elif response.is_streamed:
            return response
        response.vary.add("Accept-Encoding")
        data = response.get_data()
        if len(data) < MIN_BYTES or not request.accept_encodings.quality("gzip"):
            return response
        response.set_data(_compressed_file(data) if is_file else gzip.compress(data, _QUICK_LEVEL))
        response.content_encoding = "gzip"
        # A strong tag would stand for the same bytes, and now they depend on what the browser accepts.
        tag, _ = response.get_etag()
        if tag is not None:
            response.set_etag(tag, weak=True)
            response.make_conditional(request)
        return response


@lru_cache(_KEPT_FILES)
def _compressed_file(data: bytes) -> bytes:
    """All browsers get the same few files, so they are compressed once, and well."""
    return gzip.compress(data, _BEST_LEVEL)
