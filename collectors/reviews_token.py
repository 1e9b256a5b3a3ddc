"""Access that runs out, as review sites grant it (`Grant`), and tokens that we sign ourselves. `access_tokens` keeps them.

The package cryptography is loaded when the first token is signed: listing networks stays light.
"""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from collectors.access_tokens import Access, AccessTokens
from collectors.api_client import ApiClient
from collectors.wire import at, count_of, reason_in, text_of
from domain.clock import Now
from domain.errors import ConfigurationError, ContractError

Sign = Callable[[bytes, str, str], bytes]  # message, private key in PEM form, algorithm -> signature
_REFUSED = (400, 401, 403)


@dataclass(frozen=True, slots=True)
class Granted:
    """A token, and how long it lasts."""

    token: str
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Grant:
    """A way to a token.

    Attributes:
        key: the same for the same access, different for any other; tells no secret.
        ask: gets a new token. Raises ConfigurationError where the vendor grants none.
    """

    key: str
    ask: Callable[[], Granted]


def token_of(grant: Grant, now: datetime, *, instead_of: str = "") -> str:
    """A token that is still good, as far as we know.

    Args:
        instead_of: one that the vendor has just refused.
    """

    def ask() -> Access:
        granted = grant.ask()
        return Access(granted.token, now + granted.lifetime)

    tokens = AccessTokens([grant.key], ask, lambda: now)
    known = tokens.current()
    return tokens.renewed(known).token if known.token == instead_of else known.token


def fingerprint(*parts: str) -> str:
    """Of settings and secrets, for `Grant.key`."""
    return blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


# -- what vendors grant ------------------------------------------------------------------------------------------------------


def oauth(
    client: ApiClient,
    path: str,
    form: Callable[[], Mapping[str, str]],
    key: str,
    *,
    help_words: str,
    basic: tuple[str, str] | None = None,
) -> Grant:
    """Access by OAuth 2.0, whichever grant type `form` says.

    Args:
        basic: client id and secret, where they travel in the header Authorization.
        help_words: what a person must do where the vendor says no.
    """
    headers = {"Authorization": f"Basic {b64encode(':'.join(basic).encode()).decode()}"} if basic else {}

    def ask() -> Granted:
        answer = client.json("POST", path, form=form(), headers=headers, allow=_REFUSED)
        if answer.status in _REFUSED:
            reason = client.clean(reason_in(answer.data)).rstrip(" .")
            told = f": {reason}" if reason else f" (status {answer.status})"
            raise ConfigurationError(f"{client.name} grants us no access{told}. {help_words}")
        token, seconds = text_of(at(answer.data, "access_token")), count_of(at(answer.data, "expires_in"))
        if not token:
            raise ContractError(f"{client.name} answers to our login without a token. It is tried again later.")
        client.add_secret(token)
        return Granted(token, timedelta(seconds=seconds or 600))

    return Grant(key, ask)


def self_signed(make: Callable[[], str], lifetime: timedelta, key: str) -> Grant:
    """Access by a token that we make and sign ourselves, with no question to anybody."""
    return Grant(key, lambda: Granted(make(), lifetime))


def jwt(claims: Mapping[str, Any], pem: str, algorithm: str, *, key_id: str = "", sign: Sign | None = None) -> str:
    """A signed JSON Web Token. Raises ConfigurationError where the key is none."""
    header = {"alg": algorithm, "typ": "JWT", **({"kid": key_id} if key_id else {})}
    message = b".".join(_written(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return b".".join((message, _written((sign or signature)(message, pem, algorithm)))).decode()


def epoch(now: Now) -> int:
    """This moment as JSON Web Tokens write it."""
    return int(now().timestamp())


def signature(message: bytes, pem: str, algorithm: str) -> bytes:
    """By RS256 or ES256, as RFC 7518 has it. Raises ConfigurationError where the key is none, or of another sort."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

    wrong = ConfigurationError(
        "The private key cannot be used: it is not a whole key in PEM form, or not of the sort that this network asks for. "
        "Copy the vendor's file again, with its first and last lines (-----BEGIN PRIVATE KEY-----)."
    )
    written = pem.replace("\\n", "\n").strip().encode() + b"\n"
    try:
        key = serialization.load_pem_private_key(written, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise wrong from None  # the cause may quote the key
    if algorithm == "RS256" and isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    if algorithm == "ES256" and isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    raise wrong


def _written(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
