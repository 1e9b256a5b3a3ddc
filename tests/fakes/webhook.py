"""The other side of the generic webhook: a sender that signs as we do, and a receiver of answers that takes each key once."""

import hashlib
import hmac
from datetime import datetime
from typing import Any

from tests.fakes.http_server import FakeVendor, Reply, Request

SECRET = "a-secret-of-the-tests-0123456789"


def signed(body: bytes, at: datetime, secret: str = SECRET) -> dict[str, str]:
    """Headers as a sender makes them who signs as we do."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Comptoir-Timestamp": stamp, "X-Comptoir-Signature": f"sha256={digest}"}


class Receiver(FakeVendor):
    """A helpdesk of somebody's own, which takes each key once."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, dict[str, Any]] = {}

    def refusal(self, status: int) -> Any:
        return {"error": status}

    def handle(self, request: Request) -> Reply:
        assert request.path == "/in/answers" and request.params == {"shop": "1"}
        stamp = request.headers["x-comptoir-timestamp"]
        assert dict(request.headers)["x-comptoir-signature"] == (
            "sha256=" + hmac.new(SECRET.encode(), f"{stamp}.".encode() + request.body, hashlib.sha256).hexdigest()
        )
        key = request.headers["idempotency-key"]
        self.taken.setdefault(key, request.data)
        return Reply({"id": f"r-{key}"})
