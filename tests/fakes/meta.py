"""Meta's Graph on this machine: a Page with Messenger and its Instagram account, as far as Comptoir asks.

Built from the Graph API reference v26.0 (Page Feed, Object Comments, Comment, Page Ratings, Conversation, Message, Batch
Requests, Secure Requests, Handle Errors, Rate Limits), Messenger Platform (Private Replies, Send API, Error Codes) and
Instagram Platform (Media, Comments, Replies, Mentions, Hashtag Search), read 2026-11-26; names of fields and edges from
facebook-business 26.0.3. Shapes are documented, words of errors as developers published them. It wants the app's proof with
every call, keeps what it took, and refuses fields that it does not know.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from tests.fakes.http_server import FakeVendor, Reply, Request, serve
from tests.fakes.meta_world import ACCOUNT, DAY, HANDLE, PAGE, PAGE_NAME, Thing, World, written

__all__ = ["ACCOUNT", "HANDLE", "PAGE", "SETTINGS", "FakeMeta", "serve", "signed"]

TOKEN, SECRET = "EAAB-page-token-1234567890", "app-secret-0123456789abcdef"
SETTINGS = {"page": PAGE, "access_token": TOKEN, "app_secret": SECRET, "verify_token": "chut"}
PERMISSIONS = (
    "pages_read_engagement", "pages_read_user_content", "pages_manage_engagement", "pages_messaging", "instagram_basic",
    "instagram_manage_comments", "instagram_manage_messages",
)  # fmt: skip
_POST = (
    "id message story created_time updated_time from permalink_url parent_id status_type is_published is_hidden message_tags "
    "shares can_reply_privately attachments reactions comments tagged_time full_picture actions likes to"
)
_COMMENT = (
    "id message created_time from parent permalink_url is_hidden is_private can_comment can_hide can_remove "
    "can_reply_privately like_count comment_count message_tags private_reply_conversation attachment object user_likes"
)
_MESSAGE = "id created_time from to message sticker tags attachments shares story is_unsupported reactions"
_MEDIA = (
    "id caption media_type media_product_type media_url permalink thumbnail_url timestamp username like_count comments_count "
    "is_comment_enabled owner children alt_text shortcode comments"
)
FIELDS = {
    "post": _POST,
    "comment": _COMMENT,
    "rating": "created_time has_rating has_review rating recommendation_type review_text reviewer open_graph_story",
    "conversation": "id link updated_time can_reply participants messages message_count unread_count",
    "message": _MESSAGE,
    "media": _MEDIA,
    "reply": "id text username timestamp like_count hidden parent_id from user media replies",
    "page": "id name instagram_business_account",
    "account": "id username name mentioned_comment mentioned_media",
    "hashtag": "id name",
}
_NAME = re.compile(r"[a-z_]+")


def fields_of(written_fields: str) -> dict[str, Any]:
    """``a,b.limit(2){c,d}`` as {"a": {}, "b": {"c": {}, "d": {}, ".": {"limit": "2"}}}."""
    found, rest = _fields(written_fields)
    assert not rest, rest
    return found


def _fields(text: str) -> tuple[dict[str, Any], str]:
    found: dict[str, Any] = {}
    while text and text[0] != "}":
        name = _NAME.match(text)
        assert name, text
        text, inner, modifiers = text[name.end() :], {}, {}
        while text.startswith("."):
            modifier = re.match(r"\.([a-z_]+)\(([^()]*)\)", text)
            assert modifier, text
            modifiers[modifier[1]] = modifier[2]
            text = text[modifier.end() :]
        if text.startswith("{"):
            inner, text = _fields(text[1:])
            text = text[1:]
        found[name[0]] = {**inner, ".": modifiers} if modifiers else inner
        text = text.removeprefix(",")
    return found, text


class GraphError(Exception):
    """An error body of the Graph."""

    def __init__(self, code: int, words: str, subcode: int = 0, status: int = 400, **more: Any) -> None:
        super().__init__(words)
        self.status = status
        kind = "GraphMethodException" if code == 100 else "OAuthException"
        error: dict[str, Any] = {"message": words, "type": kind, "code": code, "fbtrace_id": "AbCdEf123", **more}
        if subcode:
            error["error_subcode"] = subcode
        self.body = {"error": error}


class FakeMeta(FakeVendor):
    """One Page and its Instagram account.

    Attributes:
        page_limit: items of a page, however many are asked for.
        oldest_first: lists run the other way round.
        usage: percent that the usage header tells; regained: minutes.
        versions: those that are not retired.
        too_much: a larger limit than this is refused; 0 for none.
        leaks: paths of POSTs that had the token in their address.
        accepted: what was said through the interface.
    """

    def __init__(self, *, page_limit: int = 100, oldest_first: bool = False) -> None:
        super().__init__()
        self.world = World()
        self.page_limit, self.oldest_first = page_limit, oldest_first
        self.token, self.secret = TOKEN, SECRET
        self.permissions = set(PERMISSIONS)
        self.usage: float = 3
        self.regained = 0
        self.versions = {f"v{number}.0" for number in range(21, 27)}
        self.too_much = 0
        self.hashtag_limit = 30
        self.counts_below_ratings = True
        self.accepted: list[Thing] = []
        self.leaks: list[str] = []

    # -- the door ----------------------------------------------------------------------------------------------------------

    def refusal(self, status: int) -> Any:
        bodies = {
            401: GraphError(190, "Error validating access token: Session has expired on Monday.", 463),
            403: GraphError(200, "(#200) Requires pages_manage_engagement permission to manage the object."),
            429: GraphError(32, "(#32) Page request limit reached"),
            503: GraphError(2, "Service temporarily unavailable", is_transient=True),
        }
        return (
            bodies[status].body
            if status in bodies
            else {"error": {"message": "?", "code": 1, "type": "OAuthException"}}
        )

    def handle(self, request: Request) -> Reply:
        form = request.data if request.method == "POST" else {}
        params = {**request.params, **(form or {})}
        try:
            self.let_in(request, params)
            data = self.answer(request.method, unquote(request.path), params)
        except GraphError as error:
            return Reply(error.body, error.status, self.headers())
        return Reply(data, headers=self.headers())

    def headers(self) -> dict[str, str]:
        used = {"call_count": self.usage, "total_cputime": 1, "total_time": 2}
        account = {"type": "pages", **used, "estimated_time_to_regain_access": self.regained}
        return {
            "X-App-Usage": json.dumps({"call_count": 1, "total_time": 1, "total_cputime": 1}),
            "X-Business-Use-Case-Usage": json.dumps({PAGE: [account]}),
            "facebook-api-version": "v26.0",
            "Connection": "close",  # on a kept connection, each answer would wait 40 ms for an acknowledgement
        }

    def let_in(self, request: Request, params: Mapping[str, str]) -> None:
        if request.method == "POST" and "access_token" in request.params:
            self.leaks.append(request.path)
        if params.get("access_token") != self.token:
            raise GraphError(
                190, f"Invalid OAuth access token - Cannot parse access token {params.get('access_token')}"
            )
        proof = hmac.new(self.secret.encode(), self.token.encode(), hashlib.sha256).hexdigest()
        if params.get("appsecret_proof") != proof:
            raise GraphError(100, "Invalid appsecret_proof provided in the API argument")

    def answer(self, method: str, path: str, params: dict[str, str]) -> Any:
        version, _, rest = path.lstrip("/").partition("/")
        if version not in self.versions:
            raise GraphError(2635, f"You are calling a deprecated version of the API: {version}.")
        if "batch" in params:
            return [self.part(version, one) for one in json.loads(params["batch"])]
        node, _, edge = rest.partition("/")
        if method == "GET":
            return self.read(node, edge, params)
        return self.write(method, node, edge, params)

    def part(self, version: str, asked: dict[str, str]) -> dict[str, Any]:
        parts = urlsplit(asked["relative_url"])
        try:
            data = self.answer(asked["method"], f"/{version}/{unquote(parts.path)}", dict(parse_qsl(parts.query)))
        except GraphError as error:
            return {"code": error.status, "body": json.dumps(error.body)}
        return {"code": 200, "body": json.dumps(data)}

    def needs(self, *names: str) -> None:
        for name in names:
            if name not in self.permissions:
                raise GraphError(10, f"(#10) This endpoint requires the '{name}' permission or to be reviewed.")

    # -- reading -----------------------------------------------------------------------------------------------------------

    def read(self, node: str, edge: str, params: dict[str, str]) -> Any:
        world = self.world
        if node == "ig_hashtag_search":
            return self.search(params["q"])
        if node in {"me", PAGE} and not edge:
            whole = {"id": PAGE, "name": PAGE_NAME, "instagram_business_account": {"id": ACCOUNT, "username": HANDLE}}
            return self.chosen(whole, "page", fields_of(params.get("fields", "id,name")))
        if node == ACCOUNT and not edge:
            return self.account(fields_of(params.get("fields", "id")))
        if node == PAGE:
            return self.of_page(edge, params)
        if node == ACCOUNT:
            self.needs("instagram_basic", *(("instagram_manage_comments",) if edge == "tags" else ()))
            found = [one for one in world.all("media") if edge in one.lists]
            return self.page(found, "media", node, edge, params)
        if node in world.hashtags.values() and edge == "recent_media":
            tag = next(name for name, number in world.hashtags.items() if number == node)
            found = [one for one in world.all("media") if tag in one.lists and world.clock - one.at <= DAY]
            return self.page(found, "hashtagged", node, edge, params)
        if node.startswith(("t_", "ig_")):
            return self.conversation_edge(node, edge, params)
        return self.of_thing(self.thing(node), edge, params)

    def of_page(self, edge: str, params: dict[str, str]) -> Any:
        world = self.world
        if edge == "conversations":
            return self.conversations(params)
        self.needs("pages_read_user_content")
        kind = "rating" if edge == "ratings" else "post"
        found = [one for one in world.all(kind) if edge in one.lists]
        return self.page(found, kind, PAGE, edge, params)

    def of_thing(self, thing: Thing, edge: str, params: dict[str, str]) -> Any:
        world = self.world
        if not edge:
            return self.shown(thing, fields_of(params.get("fields", "id")))
        if edge == "comments" and thing.kind in {"post", "comment", "rating"}:
            found = world.below(thing)
            if params.get("filter", "toplevel") == "toplevel":
                found = [one for one in found if one.parent in {"", thing.id}]
            backwards = params.get("order", "chronological") == "reverse_chronological"
            if not backwards:
                found.reverse()
            return self.page(found, "comment", thing.id, edge, params)
        if edge == "comments" and thing.kind == "media":
            found = [one for one in world.all("reply", on=thing.id) if not one.parent]
            return self.page(found, "reply", thing.id, edge, params, at_most=50)
        if edge == "replies":
            return self.page(world.all("reply", parent=thing.id), "reply", thing.id, edge, params)
        raise GraphError(100, f"(#100) Tried accessing nonexisting field ({edge})")

    def thing(self, native_id: str) -> Thing:
        if native_id not in self.world.things:
            raise GraphError(
                100,
                f"Unsupported get request. Object with ID '{native_id}' does not exist, cannot be loaded due to missing "
                "permissions, or does not support this operation.",
                33,
            )
        return self.world.things[native_id]

    def page(
        self, found: list[Thing], kind: str, node: str, edge: str, params: dict[str, str], *, at_most: int = 1000
    ) -> dict[str, Any]:
        limit = int(params.get("limit", "25"))
        if limit > 100:
            raise GraphError(100, "(#100) Please reduce the limit to 100 or less")
        if self.too_much and limit > self.too_much:
            raise GraphError(
                1, "Please reduce the amount of data you're asking for, then retry your request", status=500
            )
        if self.oldest_first:
            found = found[::-1]
        start = self.after(found, params.get("after", ""))
        size = min(limit, self.page_limit, at_most)
        some = found[start : start + size]
        asked = fields_of(params.get("fields", "id"))
        body: dict[str, Any] = {"data": [self.shown(one, asked, kind) for one in some]}
        if some:
            cursor = base64.b64encode(f"{edge}_cursor:{some[-1].id}".encode()).decode()
            body["paging"] = {"cursors": {"before": "QmVm", "after": cursor}}
            if start + size < len(found):
                query = urlencode({"access_token": self.token, "limit": limit, "after": cursor})
                body["paging"]["next"] = f"https://graph.facebook.com/v26.0/{node}/{edge}?{query}"
        return body

    @staticmethod
    def after(found: list[Thing], cursor: str) -> int:
        if not cursor:
            return 0
        last = base64.b64decode(cursor).decode().partition(":")[2]
        ids = [one.id for one in found]
        if last not in ids:
            raise GraphError(100, "(#100) Invalid parameter: the cursor is no longer valid")
        return ids.index(last) + 1

    # -- how things look ---------------------------------------------------------------------------------------------------

    def chosen(self, whole: dict[str, Any], kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        for name in asked:
            if name not in FIELDS[kind].split():
                raise GraphError(100, f"(#100) Tried accessing nonexisting field ({name}) on node type ({kind})")
        return {name: one for name, one in whole.items() if (name in asked or name == "id") and one is not None}

    def shown(self, thing: Thing, asked: dict[str, Any], kind: str = "") -> dict[str, Any]:
        kind = kind or thing.kind
        make: dict[str, Callable[[Thing, dict[str, Any]], dict[str, Any]]] = {
            "post": self.as_post, "comment": self.as_comment, "rating": self.as_rating, "message": self.as_message,
            "media": self.as_media, "reply": self.as_reply, "hashtagged": self.as_media,
        }  # fmt: skip
        whole = {**make[kind](thing, asked), **thing.fields}
        if kind == "hashtagged":
            whole.pop("username", None)
            kind = "media"
        if kind == "rating":
            whole.pop("id", None)
        return self.chosen(whole, kind, asked)

    def someone(self, number: str) -> dict[str, str]:
        return {"name": self.world.people[number], "id": number}

    def as_post(self, post: Thing, asked: dict[str, Any]) -> dict[str, Any]:
        below = self.world.below(post)
        toplevel = [one for one in below if not one.parent]
        modifiers = asked.get("comments", {}).get(".", {})
        counted = below if modifiers.get("filter") == "stream" else toplevel
        return {
            "id": post.id,
            "message": post.text or None,
            "created_time": written(post.at),
            "updated_time": written(post.updated or post.at),
            "from": self.someone(post.author),
            "permalink_url": f"https://www.facebook.com/{post.id.replace('_', '/posts/')}",
            "is_published": True,
            "is_hidden": post.hidden,
            "can_reply_privately": post.author != PAGE and not post.answered_privately,
            "comments": {"data": [], "summary": {"total_count": len(counted)}},
            "reactions": {"data": [], "summary": {"total_count": 2}},
        }

    def as_comment(self, comment: Thing, asked: dict[str, Any]) -> dict[str, Any]:
        theirs = comment.author != PAGE
        young = self.world.clock - comment.at <= 7 * DAY
        whole: dict[str, Any] = {
            "id": comment.id,
            "message": comment.text,
            "created_time": written(comment.at),
            "from": self.someone(comment.author),
            "parent": self.above(comment, asked.get("parent", {})),
            "permalink_url": f"https://www.facebook.com/{comment.on}?comment_id={comment.id.partition('_')[2]}",
            "is_hidden": comment.hidden,
            "can_comment": True,
            "can_hide": theirs,
            "can_remove": True,
            "can_reply_privately": theirs and young and not comment.answered_privately,
            "like_count": 0,
            "comment_count": len([one for one in self.world.things.values() if one.parent == comment.id]),
        }
        inner = asked.get("private_reply_conversation")
        if comment.answered_privately and inner is not None:
            whole["private_reply_conversation"] = self.as_conversation(comment.answered_privately, inner)
        return whole

    def above(self, comment: Thing, asked: dict[str, Any]) -> dict[str, Any] | None:
        """The parents, as many levels as are asked for."""
        parent = self.world.things.get(comment.parent)
        if parent is None:
            return None
        further = self.above(parent, asked["parent"]) if "parent" in asked else None
        return {"id": parent.id, "parent": further} if further else {"id": parent.id}

    def as_rating(self, rating: Thing, asked: dict[str, Any]) -> dict[str, Any]:
        story: dict[str, Any] = {"id": rating.id}
        if "comments" in asked.get("open_graph_story", {}):
            if not self.counts_below_ratings:
                raise GraphError(
                    100, "(#100) Tried accessing nonexisting field (comments) on node type (OpenGraphObject)"
                )
            story["comments"] = {"data": [], "summary": {"total_count": len(self.world.below(rating))}}
        return {
            "created_time": written(rating.at),
            "has_rating": "rating" in rating.fields,
            "has_review": bool(rating.text),
            "review_text": rating.text or None,
            "reviewer": self.someone(rating.author),
            "open_graph_story": story,
        }

    def as_message(self, message: Thing, _: dict[str, Any]) -> dict[str, Any]:
        instagram = message.on.startswith("ig_")
        other, ours = message.on.partition("_")[2], ACCOUNT if instagram else PAGE
        receiver = other if message.author == ours else ours
        return {
            "id": message.id,
            "created_time": written(message.at),
            "from": self.named(message.author, instagram),
            "to": {"data": [self.named(receiver, instagram)]},
            "message": message.text,
        }

    def named(self, number: str, instagram: bool) -> dict[str, str]:
        name = self.world.people[number]
        return (
            {"username": name, "id": number}
            if instagram
            else {"name": name, "email": f"{number}@facebook.com", "id": number}
        )

    def as_media(self, media: Thing, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": media.id,
            "caption": media.text or None,
            "media_type": "IMAGE",
            "media_product_type": "FEED",
            "media_url": f"https://scontent.example/{media.id}.jpg",
            "permalink": f"https://www.instagram.com/p/{media.id}/",
            "timestamp": written(media.at),
            "username": self.world.people[media.author],
            "like_count": 3,
            "comments_count": len(self.world.all("reply", on=media.id)),
            "is_comment_enabled": True,
        }

    def as_reply(self, reply: Thing, asked: dict[str, Any]) -> dict[str, Any]:
        name = self.world.people[reply.author]
        whole: dict[str, Any] = {
            "id": reply.id,
            "text": reply.text,
            "username": name,
            "timestamp": written(reply.at),
            "like_count": 0,
            "hidden": reply.hidden,
            "from": {"id": reply.author, "username": name},
            "parent_id": reply.parent or None,
            "media": {"id": reply.on},
        }
        if "replies" in asked and not reply.parent:
            inner = asked["replies"]
            limit = inner.get(".", {}).get("limit", "25")
            names = {key: one for key, one in inner.items() if key != "."}
            fields = ",".join(names) or "id"
            found = self.world.all("reply", parent=reply.id)
            if found:
                whole["replies"] = self.page(found, "reply", reply.id, "replies", {"limit": limit, "fields": fields})
        return whole

    # -- conversations -----------------------------------------------------------------------------------------------------

    def conversations(self, params: dict[str, str]) -> dict[str, Any]:
        instagram = params.get("platform") == "instagram"
        self.needs("instagram_manage_messages" if instagram else "pages_messaging")
        last: dict[str, Thing] = {}
        for one in self.world.all("message"):
            if one.on.startswith("ig_") == instagram:
                last.setdefault(one.on, one)
        if "user_id" in params:
            last = {on: one for on, one in last.items() if on.endswith(f"_{params['user_id']}")}
        size = min(int(params.get("limit", "25")), self.page_limit)
        threads = list(last)
        start = threads.index(base64.b64decode(params["after"]).decode()) + 1 if "after" in params else 0
        some = threads[start : start + size]
        asked = fields_of(params.get("fields", "id,updated_time"))
        body: dict[str, Any] = {"data": [self.as_conversation(on, asked) for on in some]}
        if start + size < len(threads):
            after = base64.b64encode(some[-1].encode()).decode()
            query = urlencode({"access_token": self.token, "after": after})
            body["paging"] = {
                "cursors": {"after": after},
                "next": f"https://graph.facebook.com/v26.0/x/conversations?{query}",
            }
        return body

    def as_conversation(self, on: str, asked: dict[str, Any]) -> dict[str, Any]:
        instagram = on.startswith("ig_")
        messages = self.world.all("message", on=on)
        ours, other = ACCOUNT if instagram else PAGE, on.partition("_")[2]
        whole: dict[str, Any] = {
            "id": on,
            "link": f"/{PAGE}/inbox/{other}/",
            "updated_time": written(messages[0].at) if messages else None,
            "can_reply": True,
            "participants": {"data": [self.named(other, instagram), self.named(ours, instagram)]},
        }
        if "messages" in asked:
            inner = {key: one for key, one in asked["messages"].items() if key != "."}
            size = min(int(asked["messages"].get(".", {}).get("limit", "25")), 20)
            whole["messages"] = {"data": [self.shown(one, inner, "message") for one in messages[:size]]}
            if len(messages) > size:
                after = base64.b64encode(f"messages_cursor:{messages[size - 1].id}".encode()).decode()
                query = urlencode({"access_token": self.token, "after": after})
                whole["messages"]["paging"] = {"next": f"https://graph.facebook.com/v26.0/{on}/messages?{query}"}
        return self.chosen(whole, "conversation", asked)

    def conversation_edge(self, on: str, edge: str, params: dict[str, str]) -> dict[str, Any]:
        if edge != "messages":
            return self.as_conversation(on, fields_of(params.get("fields", "id")))
        if on.startswith("ig_"):
            raise GraphError(100, "The message has been deleted", 2018049)
        return self.page(self.world.all("message", on=on), "message", on, edge, params)

    # -- Instagram ---------------------------------------------------------------------------------------------------------

    def account(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.needs("instagram_basic")
        whole: dict[str, Any] = {"id": ACCOUNT, "username": HANDLE}
        for name, wanted, kind in (
            ("mentioned_comment", "comment_id", "reply"),
            ("mentioned_media", "media_id", "media"),
        ):
            if name in asked:
                self.needs("instagram_manage_comments")
                inner = dict(asked[name])
                thing = self.thing(inner.pop(".")[wanted])
                whole[name] = self.shown(thing, inner, kind)
        return self.chosen(whole, "account", asked)

    def search(self, tag: str) -> dict[str, Any]:
        self.needs("instagram_basic")
        world = self.world
        recent = {name for name, at in world.queried.items() if world.clock - at < 7 * DAY}
        if tag not in recent and len(recent) >= self.hashtag_limit:
            raise GraphError(18, "(#18) This user has queried 30 unique hashtags in the last 7 days", 2207034)
        if tag not in recent:
            world.queried[tag] = world.clock
        return {"data": [{"id": world.hashtags.setdefault(tag, world.number("178434"))}]}

    # -- writing -----------------------------------------------------------------------------------------------------------

    def write(self, method: str, node: str, edge: str, params: dict[str, str]) -> Any:
        if method == "DELETE":
            return self.remove(node)
        if edge == "messages":
            return self.send(params)
        if edge == "mentions":
            return self.answer_mention(params)
        thing = self.thing(node)
        if edge == "comments" and thing.kind != "media":
            self.needs("pages_manage_engagement")
            return self.take(self.say_below(thing, params["message"]))
        if edge in {"replies", "comments"}:
            self.needs("instagram_manage_comments")
            if thing.hidden:
                raise GraphError(100, "(#100) You cannot reply to hidden comments.")
            on = self.world.things[thing.on] if thing.kind == "reply" else thing
            parent = thing if thing.kind == "reply" else None
            return self.take(self.world.reply(on, params["message"].strip(), HANDLE, parent=parent))
        if "is_hidden" in params or "hide" in params:
            thing.hidden = (params.get("is_hidden") or params.get("hide")) == "true"
            return {"success": True}
        raise GraphError(100, "(#100) Unsupported post request.")

    def take(self, thing: Thing) -> dict[str, str]:
        self.accepted.append(thing)
        return {"id": thing.id}

    def say_below(self, thing: Thing, text: str) -> Thing:
        on = self.world.things[thing.on] if thing.kind == "comment" else thing
        if any(one.text == text and one.author == PAGE for one in self.world.below(on)[:1]):
            raise GraphError(506, "Duplicate status message")
        return self.world.comment(on, text.strip(), PAGE_NAME, parent=thing if thing.kind == "comment" else None)

    def remove(self, node: str) -> dict[str, bool]:
        thing = self.thing(node)
        if thing.author not in {PAGE, ACCOUNT}:
            raise GraphError(200, "(#200) Permissions error")
        self.world.delete(thing)
        return {"success": True}

    def send(self, params: dict[str, str]) -> dict[str, str]:
        recipient, text = json.loads(params["recipient"]), json.loads(params["message"])["text"]
        commented = recipient.get("comment_id") or recipient.get("post_id")
        if commented:
            thing = self.thing(commented)
            if thing.answered_privately:
                raise GraphError(10900, "(#10900) Activity already replied to")
            instagram = thing.kind in {"reply", "media"}
            person = thing.author
            thing.answered_privately = f"{'ig' if instagram else 't'}_{person}"
        else:
            person = recipient["id"]
            instagram = bool(self.world.all("message", on=f"ig_{person}"))
            theirs = [
                one
                for one in self.world.all("message", on=f"{'ig' if instagram else 't'}_{person}")
                if one.author == person
            ]
            window = timedelta(days=7) if params.get("tag") == "HUMAN_AGENT" else DAY
            if not theirs or self.world.clock - theirs[0].at > window:
                raise GraphError(
                    10, "(#10) This message is sent outside of allowed window.", 2534022 if instagram else 2018278
                )
        self.needs("instagram_manage_messages" if instagram else "pages_messaging")
        name = self.world.people[person]
        sent = self.world.write(text, name, to=name, instagram=instagram)
        self.accepted.append(sent)
        return {"recipient_id": person, "message_id": sent.id}

    def answer_mention(self, params: dict[str, str]) -> dict[str, str]:
        self.needs("instagram_manage_comments")
        media = self.thing(params["media_id"])
        parent = self.thing(params["comment_id"]) if "comment_id" in params else None
        return self.take(self.world.reply(media, params["message"].strip(), HANDLE, parent=parent))


def signed(body: Any, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
    """A delivery as Meta sends it: raw bytes and headers."""
    raw = json.dumps(body, ensure_ascii=True).encode()
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return raw, {"x-hub-signature-256": f"sha256={digest}", "content-type": "application/json"}
