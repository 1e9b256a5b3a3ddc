"""Signatures of the generic webhook, in and out: which bytes are signed, where the signature stands, how old it may be.

Pure. The defaults are those in which we sign ourselves: HMAC-SHA256 over `timestamp.body`, in hexadecimal after `sha256=`.
Other senders' ways are settings; docs/operations.md has those of some that many shops use.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.contracts import Delivery
from domain.errors import ConfigurationError

SIGNATURE, TIMESTAMP = "X-Comptoir-Signature", "X-Comptoir-Timestamp"
_SIGNED = "{timestamp}.{body}"
_ALGORITHMS = ("sha256", "sha512", "sha1")
_ENCODINGS = ("hex", "base64", "plain")
_PARTS = re.compile(r"(\{timestamp\}|\{id\}|\{body\})")
_SHORTEST_SECRET = 16  # characters
_LONGEST_HEADER = 2_000


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one sender signs.

    Attributes:
        header, timestamp_header, id_header: names in lower case; the last two are empty where the sender has none.
        encoding: ``hex``, ``base64``, or ``plain``: the header holds the secret itself.
        signed: the bytes that are signed, with ``{timestamp}``, ``{id}`` and ``{body}``.
        window: how old, or early, a delivery may be; only where the timestamp is signed.
    """

    secret: bytes
    header: str = SIGNATURE.lower()
    prefix: str = "sha256="
    encoding: str = "hex"
    algorithm: str = "sha256"
    signed: str = _SIGNED
    timestamp_header: str = TIMESTAMP.lower()
    id_header: str = ""
    window: timedelta = timedelta(minutes=5)

    def trouble(self, delivery: Delivery) -> str:
        """Why this delivery is not believed; "" where it is."""
        given = delivery.headers.get(self.header, "")[:_LONGEST_HEADER]
        timestamp = delivery.headers.get(self.timestamp_header, "") if self.timestamp_header else ""
        identity = delivery.headers.get(self.id_header, "") if self.id_header else ""
        if not given:
            return f"the header {self.header} with the signature is missing"
        if "{timestamp}" in self.signed and not timestamp:
            return f"the header {self.timestamp_header} with the moment of sending is missing"
        if "{id}" in self.signed and not identity:
            return f"the header {self.id_header} with the id of the delivery is missing"
        expected = self.signature(delivery.body, timestamp, identity)
        # Some send several, one for each secret that is being changed.
        found = [hmac.compare_digest(self._plain(one), self._plain(expected)) for one in (given, *given.split())]
        return "" if any(found) else "the signature does not fit"

    def too_old(self, delivery: Delivery) -> str:
        """Why its age is wrong; "" where it is right, or where nobody tells."""
        if "{timestamp}" not in self.signed:
            return ""
        sent_at = _moment(delivery.headers.get(self.timestamp_header, ""))
        if sent_at is None:
            return f"the header {self.timestamp_header} holds no moment: send seconds since 1970, or ISO 8601"
        if abs(delivery.received_at - sent_at) > self.window:
            return "it was sent too long ago, or in the future: look at the clock of the sender"
        return ""

    def signature(self, body: bytes, timestamp: str, identity: str = "") -> str:
        """As it stands in the header."""
        if self.encoding == "plain":
            return self.prefix + self.secret.decode("utf-8", "surrogateescape")
        parts = {"{timestamp}": _raw(timestamp), "{id}": _raw(identity), "{body}": body}
        message = b"".join(parts.get(part, part.encode()) for part in _PARTS.split(self.signed))
        digest = hmac.new(self.secret, message, getattr(hashlib, self.algorithm)).digest()
        return self.prefix + (digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode())

    def _plain(self, signature: str) -> bytes:
        return _raw(signature.lower() if self.encoding == "hex" else signature)


def scheme(settings: Mapping[str, str]) -> Scheme:
    """As the settings of a source write it. Raises ConfigurationError where one is missing or cannot be used."""
    secret = settings.get("secret", "").strip()
    if not secret:
        raise ConfigurationError(
            "The setting secret is missing: choose a long random word (openssl rand -hex 32), put it into an environment "
            "variable, write secret = env:NAME, and give it to the sender."
        )
    if len(secret) < _SHORTEST_SECRET:
        raise ConfigurationError(
            f"The setting secret has {len(secret)} characters; it needs {_SHORTEST_SECRET}, else it can be guessed. Take "
            "the word that openssl rand -hex 32 gives."
        )
    header = settings.get("signature_header", "").strip().lower()
    own = not header  # who has a header of its own has ways of its own
    signed = settings.get("signed", "").strip() or (_SIGNED if own else "{body}")
    found = Scheme(
        _key(secret),
        header=header or SIGNATURE.lower(),
        prefix=settings.get("signature_prefix", "sha256=" if own else "").strip(),
        encoding=_one_of("signature_encoding", settings, _ENCODINGS),
        algorithm=_one_of("signature_algorithm", settings, _ALGORITHMS),
        signed=signed,
        timestamp_header=settings.get("timestamp_header", TIMESTAMP if own else "").strip().lower(),
        id_header=settings.get("id_header", "").strip().lower(),
        window=_window(settings.get("window_seconds", "").strip() or "300"),
    )
    if "{body}" not in signed and found.encoding != "plain":
        raise ConfigurationError(
            f"The setting signed is “{signed}”: it must hold {{body}}, or anybody could change it."
        )
    for part, setting, name in (
        ("{timestamp}", "timestamp_header", found.timestamp_header),
        ("{id}", "id_header", found.id_header),
    ):
        if part in signed and not name:
            raise ConfigurationError(f"The setting signed holds {part}: say in {setting} which header brings it.")
    return found


def _key(secret: str) -> bytes:
    # Source: Standard Webhooks, as AhaSend's documentation “Security & Verification” has it, read 2026-11-26.
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ConfigurationError(
                "The setting secret begins with whsec_ and is not whole. Copy it again from the sender's settings."
            ) from error
    return secret.encode()


def _one_of(key: str, settings: Mapping[str, str], allowed: tuple[str, ...]) -> str:
    value = settings.get(key, "").strip().lower() or allowed[0]
    if value not in allowed:
        raise ConfigurationError(f"The setting {key} is “{value}”. Write one of: {', '.join(allowed)}.")
    return value


def _window(written: str) -> timedelta:
    if not written.isdecimal() or not 1 <= int(written) <= 7 * 86_400:
        raise ConfigurationError(
            f"The setting window_seconds is “{written}”. Write a number of seconds, at most a week."
        )
    return timedelta(seconds=int(written))


def _moment(written: str) -> datetime | None:
    try:
        if written.isascii() and written.isdecimal() and len(written) < 17:
            number = int(written)
            return datetime.fromtimestamp(number / 1000 if number > 10**11 else number, UTC)
        moment = datetime.fromisoformat(written)
    except (OSError, OverflowError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _raw(header: str) -> bytes:
    return header.encode("utf-8", "surrogateescape")
