"""How a delivery is signed, so that its receiver knows who sent it and when: an HMAC over the time and the body."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "Stripe-Signature"


def sign(secret: str, second: int, body: bytes) -> str:
    """The value of the signature's header: `t=` the second of sending, `v1=` the HMAC-SHA-256 of that, a dot and the body."""
    signature = hmac.new(secret.encode(), f"{second}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={second},v1={signature}"
