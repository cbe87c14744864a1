"""Sign requests with Alibaba Cloud's official SDK. This runs in a separate environment (``scripts/cloud.py``).

It reads a JSON list of requests from stdin, each with the ``headers`` to sign, ``access_key_id`` and ``secret``, and
writes a list of their Authorization headers.
"""

from __future__ import annotations

import json
import sys

from alibabacloud_openapi_util.client import Client
from Tea.request import TeaRequest


def signed(given: dict[str, object]) -> str:
    """Return the SDK's Authorization header of a request."""
    request = TeaRequest()
    request.method, request.pathname, request.query = "POST", "/", {}
    request.headers = dict(given["headers"])
    digest = given["headers"]["x-acs-content-sha256"]
    return Client.get_authorization(request, "ACS3-HMAC-SHA256", digest, given["access_key_id"], given["secret"])


if __name__ == "__main__":
    json.dump([signed(given) for given in json.load(sys.stdin)], sys.stdout)
