"""The dashboard's files, as its build left them in `static/`.

Files under assets/ carry a hash in their names and never change; everything else is asked for
again each time and answered with 304 when it is the same. A path without a file is a page of the
dashboard, whose own router reads it; one that the dashboard does not know is answered with 404 and
that page. What is not built says so in plain text.
"""

import gzip
import hashlib
import mimetypes
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from litestar import Request, Response, get
from litestar.params import FromPath

from api.caching import GZIP_FROM_BYTES, matches
from api.ports import Wired
from api.problems import Refused

NOT_BUILT = (
    "The dashboard is not built. `make setup` builds it; with a checkout:\n"
    "    pip install --no-deps -e .\n\n"
    "The API is at /api/v1, its description at /openapi.json.\n"
)
_FOREVER = "public, max-age=31536000, immutable"
_COMPRESSIBLE = ("text/", "application/javascript", "application/json", "image/svg+xml")
#: The paths that the dashboard shows something at: those of dashboard/src/lib/route.svelte.ts.
_KNOWN: Final = re.compile(r"/(channels/?|channels/[^/]+/?)?")
#: Everything that the page uses comes from here; nothing else may be fetched or framed.
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class File(NamedTuple):
    body: bytes
    gzipped: bytes | None
    media_type: str
    etag: str


@get(["/", "/{path:path}"], include_in_schema=False)
async def pages(
    request: Request[Any, Any, Any], ports: Wired, path: FromPath[str] = "/"
) -> Response[bytes]:
    """A file of the dashboard, or its page for paths that are no files."""
    root = ports.settings.static_dir
    found = find(root, path)
    if found is None:
        if not is_page(path):
            raise Refused(404, "http", "no such file")
        return Response(NOT_BUILT.encode(), status_code=503, media_type="text/plain")
    response = _response(request, found, read(found, found.stat().st_mtime_ns), root)
    if found.name == "index.html" and not is_page(path):
        response.status_code = 404
    return response


def is_page(path: str) -> bool:
    """Whether the dashboard shows something there."""
    return path == "/index.html" or _KNOWN.fullmatch(path) is not None


def find(root: Path, path: str) -> Path | None:
    """The file for a path, index.html for a page; None when there is none.

    Never a file outside `root`, whatever the path says.
    """
    root = root.resolve()
    if (asked := _file(root, path)) is not None:
        return asked
    index = root / "index.html"
    is_no_file = is_page(path) or "." not in path.rpartition("/")[2]
    return index if is_no_file and index.is_file() else None


def _file(root: Path, path: str) -> Path | None:
    try:
        asked = (root / path.lstrip("/")).resolve()
        return asked if asked.is_relative_to(root) and asked.is_file() else None
    except (OSError, ValueError):
        # No name that a file can have: too long, or with a NUL.
        return None


@lru_cache(maxsize=256)
def read(path: Path, changed_ns: int) -> File:
    """A file, ready to be sent; read again when it changed."""
    body = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if media_type == "text/javascript":
        media_type = "application/javascript"
    gzipped = None
    if len(body) >= GZIP_FROM_BYTES and media_type.startswith(_COMPRESSIBLE):
        gzipped = gzip.compress(body, 6, mtime=0)
    etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    return File(body, gzipped, media_type, etag)


def _response(
    request: Request[Any, Any, Any], path: Path, file: File, root: Path
) -> Response[bytes]:
    immutable = path.parent == root.resolve() / "assets"
    headers = {
        "ETag": file.etag,
        "Cache-Control": _FOREVER if immutable else "no-cache",
        "Vary": "Accept-Encoding",
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer",
    }
    if matches(request.headers.get("if-none-match", ""), file.etag):
        return Response(b"", status_code=304, headers=headers, media_type=file.media_type)
    body = file.body
    if file.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = file.gzipped
    return Response(body, headers=headers, media_type=file.media_type)
