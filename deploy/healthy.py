"""A container's health check: exit code 0 when the process in it says that it is ready.

    healthy.py [ROUTE]    /readyz, or another route: /healthz only says that the process lives

Runs in the image with nothing but Python; every route wants the API key, these too.
"""

import os
import sys
import urllib.request
from pathlib import Path


def key() -> str:
    if path := os.environ.get("ANALYTICBOT_API_KEY_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    return os.environ.get("ANALYTICBOT_API_KEY", "")


def main(route: str = "/readyz") -> int:
    port = os.environ.get("ANALYTICBOT_PORT", "8000")
    url = f"http://127.0.0.1:{port}{route}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key()}"})
    try:
        with urllib.request.urlopen(request, timeout=4) as response:
            return 0 if response.status == 200 else 1
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
