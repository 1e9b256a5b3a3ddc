"""Holds the fake's answers against X's published OpenAPI description, where a copy of it is at hand."""

import gzip
import json
from pathlib import Path
from typing import Any

_RESPONSES = {
    "2.157": {
        "search": "Get2TweetsSearchRecentResponse",
        "mentions": "Get2UsersIdMentionsResponse",
        "lookup": "Get2TweetsResponse",
        "events": "Get2DmEventsResponse",
        "counts": "Get2TweetsCountsRecentResponse",
        "created": "TweetCreateResponse",
        "message": "CreateDmEventResponse",
    },
    "2.167": {
        "search": "SearchPostsRecentResponse",
        "mentions": "GetUsersMentionsResponse",
        "lookup": "GetPostsByIdsResponse",
        "events": "GetDirectMessagesEventsResponse",
        "counts": "GetPostsCountsRecentResponse",
        "created": "CreatePostsResponse",
        "message": "CreateDirectMessagesByConversationIdResponse",
    },
}


_OPEN = ("/Media", "/Problem")  # told apart by a discriminator, which JSON Schema does not know


class Description:
    """One OpenAPI description, as a validator of answers: objects hold nothing that it does not name."""

    def __init__(self, path: Path) -> None:
        raw = path.read_bytes()
        self.whole: dict[str, Any] = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
        self.version: str = self.whole["info"]["version"]
        schemas = self.whole["components"]["schemas"]
        self._components = {"schemas": {name: _today(schema, inside=False) for name, schema in schemas.items()}}

    def errors(self, answer: str, body: Any) -> list[str]:
        """What in a body is not as described; `answer` is a key of the table above."""
        from jsonschema import Draft202012Validator

        target = f"#/components/schemas/{_RESPONSES[self.version][answer]}"
        schema = {"$ref": target, "unevaluatedProperties": False, "components": self._components}
        return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(body)]


def _today(schema: Any, *, inside: bool = True) -> Any:
    """In JSON Schema of today: `nullable` is a type, and where a value stands, names that are not described are errors."""
    if isinstance(schema, list):
        return [_today(one, inside=False) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: value for key, value in schema.items() if key not in {"nullable", "discriminator", "example"}}
    for key in ("allOf", "anyOf", "oneOf"):
        if key in made:
            made[key] = _today(made[key])
    if isinstance(made.get("properties"), dict):
        made["properties"] = {name: _today(value) for name, value in made["properties"].items()}
    if "items" in made:
        made["items"] = _today(made["items"])
    if schema.get("nullable") and isinstance(schema.get("type"), str):
        made["type"] = [schema["type"], "null"]
    strict = inside and not str(made.get("$ref", "")).endswith(_OPEN) and ("$ref" in made or "properties" in made)
    return made | {"unevaluatedProperties": False} if strict and "additionalProperties" not in made else made
