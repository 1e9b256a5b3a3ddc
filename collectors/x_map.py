"""X's posts and direct messages as mentions: the shapes of API v2, in the field names of before and after 2026.

Pure. One item and what the answer includes beside it become one mention, or an InputError that says why not. Shapes of
v1.1 are in x_legacy.py, whole answers in x_answer.py; what stands beside an item is x_beside.py.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from collectors.values import language, web_url
from collectors.wire import at, count_of, dict_of, first_text, kept, list_of, moment_of, text_of
from collectors.x_beside import NOBODY, NOTHING, Includes, Own, mark
from collectors.x_text import ID, moment_of_id, plain_text, quoted_handle
from domain.errors import InputError
from domain.mention import Author, Engagement, Mention, MentionKind

NETWORK = "x"
_POST_FIELDS = (
    "id", "text", "note_tweet", "note_post", "author_id", "conversation_id", "lang", "attachments", "referenced_tweets",
    "referenced_posts", "in_reply_to_user_id", "in_reply_to_tweet_id", "geo", "public_metrics", "withheld",
    "community_id", "paid_partnership", "truncated",
)  # fmt: skip
_EVENT_FIELDS = (
    "id", "event_type", "text", "created_at", "sender_id", "dm_conversation_id", "entities", "attachments",
    "referenced_tweets", "referenced_posts",
)  # fmt: skip
_HANDLE = re.compile(r"\w{1,50}", re.ASCII)
_CONVERSATION = re.compile(r"[0-9]{1,19}(?:-[0-9]{1,19})?")
_LANGUAGES = {"in": "id", "iw": "he"}  # X's own codes


# -- posts -----------------------------------------------------------------------------------------------------------------


def map_post(item: dict[str, Any], includes: Includes = NOTHING, own: Own = NOBODY) -> Mention:
    """The mention that a post is.

    An edited post keeps the id of its first version, so that all versions are one mention; `raw["latest_id"]` is the one
    that is shown. `raw["summons"]` says how it summons our account, which decides whether we may answer.

    Raises:
        InputError: it has no id, says nothing, has no date, or only repeats what somebody else said.
    """
    newest_id = native(item)
    references = references_of(item)
    if "retweeted" in references:
        raise InputError("it repeats another post and says nothing of its own")
    versions = versions_of(item, newest_id)
    native_id = versions[0]
    author = author_of(text_of(item.get("author_id")), includes, text_of(item.get("username")))
    parent, quoted = references.get("replied_to") or None, references.get("quoted", "")
    conversation = text_of(item.get("conversation_id"))
    if not ID.fullmatch(conversation):
        conversation = _thread_of(parent, includes) or native_id
    text, entities = _said(item, {newest_id, *versions, quoted})
    mention = Mention(
        network=NETWORK,
        native_id=native_id,
        text=text,
        created_at=_moment(item, newest_id),
        author=author,
        conversation_id=native_id if conversation in versions else conversation,
        parent_id=parent,
        outbound=own.is_author(author.native_id if author else "", author.handle if author else ""),
        title=text_of(at(item, "article", "title")) or text_of(at(item, "article_title", "title")),
        url=f"https://x.com/{author.handle if author and author.handle else 'i'}/status/{versions[-1]}",
        lang_hint=_language(text_of(item.get("lang"))),
        engagement=engagement_of(item.get("public_metrics")),
        raw=_raw(item, includes, quoted, entities),
    )
    if len(versions) > 1:
        mention.raw["latest_id"] = versions[-1]
    if own != NOBODY:
        mark(mention, item, includes, own, quoted, entities)
    return mention


def native(item: dict[str, Any]) -> str:
    """The item's id. Raises InputError where it has none."""
    found = text_of(item.get("id"))
    if not ID.fullmatch(found):
        raise InputError("it has no id")
    return found


def references_of(item: dict[str, Any]) -> dict[str, str]:
    """Which posts it refers to: ``replied_to``, ``quoted`` or ``retweeted`` -> id."""
    found: dict[str, str] = {}
    for one in list_of(item.get("referenced_tweets")) or list_of(item.get("referenced_posts")):
        kind, target = text_of(dict_of(one).get("type")), text_of(dict_of(one).get("id"))
        if ID.fullmatch(target):
            found.setdefault(kind, target)
    answered = text_of(item.get("in_reply_to_tweet_id")) or text_of(item.get("in_reply_to_post_id"))
    if ID.fullmatch(answered):
        found.setdefault("replied_to", answered)
    return found


def versions_of(item: dict[str, Any], newest_id: str) -> list[str]:
    """Ids of all versions, the first one first; itself alone where it was never edited."""
    listed = list_of(item.get("edit_history_tweet_ids")) or list_of(item.get("edit_history_post_ids"))
    ids = [found for found in map(text_of, listed) if ID.fullmatch(found)]
    return ids if newest_id in ids else [newest_id]


def author_of(author_id: str, includes: Includes, handle: str = "") -> Author | None:
    """Who spoke; by id only where the account is not told (suspended, deleted)."""
    user = dict_of(includes.users.get(author_id))
    handle = text_of(user.get("username")) or handle
    handle = handle if _HANDLE.fullmatch(handle) else ""
    native_id = author_id if ID.fullmatch(author_id) else handle
    if not native_id:
        return None
    return Author(
        native_id,
        handle,
        text_of(user.get("name")),
        f"https://x.com/{handle}" if handle else "",
        count_of(at(user, "public_metrics", "followers_count")),
    )


def engagement_of(metrics: Any) -> Engagement:
    """Counts; reposts and quotes are both shares."""
    counts = dict_of(metrics)
    reposts = count_of(counts.get("retweet_count", counts.get("repost_count")))
    quotes = count_of(counts.get("quote_count"))
    shares = None if reposts is None and quotes is None else (reposts or 0) + (quotes or 0)
    return Engagement(
        count_of(counts.get("like_count")),
        shares,
        count_of(counts.get("reply_count")),
        count_of(counts.get("impression_count")),
    )


def _said(item: dict[str, Any], own_links: Iterable[str]) -> tuple[str, Any]:
    note = dict_of(item.get("note_tweet")) or dict_of(item.get("note_post"))
    long = text_of(note.get("text"))
    entities = note.get("entities") if long and note.get("entities") else item.get("entities")
    article = text_of(at(item, "article", "plain_text"))
    text = article or plain_text(long or text_of(item.get("text")), entities, own_links)
    if not text.strip():
        raise InputError("it has no text")
    return text, entities


def _moment(item: dict[str, Any], native_id: str) -> datetime:
    moment = moment_of(item.get("created_at")) or moment_of_id(native_id)
    if moment is None:
        raise InputError("it has no date")
    return moment


def _thread_of(parent: str | None, includes: Includes) -> str:
    # Only where the answer does not name the conversation, as it does whenever it is asked to.
    found = text_of(dict_of(includes.posts.get(parent or "")).get("conversation_id"))
    return found if ID.fullmatch(found) else parent or ""


def _language(code: str) -> str | None:
    return _LANGUAGES.get(code) or language(code)


def _raw(item: dict[str, Any], includes: Includes, quoted: str, entities: Any) -> dict[str, Any]:
    raw = kept(item, _POST_FIELDS)
    brief = _brief(entities)
    if brief:
        raw["entities"] = brief
    if item.get("reply_settings") not in (None, "everyone"):
        raw["reply_settings"] = text_of(item["reply_settings"])
    media = media_of(item, includes)
    if media:
        raw["media"] = media
    if quoted:
        post = dict_of(includes.posts.get(quoted))
        handle = first_text(includes.users.get(text_of(post.get("author_id"))), "username")
        handle = handle or quoted_handle(entities, quoted)
        said = text_of(dict_of(post.get("note_tweet") or post.get("note_post")).get("text"))
        said = plain_text(said or text_of(post.get("text")), post.get("entities"))
        raw["quoted"] = {
            "id": quoted,
            "text": said,
            "author": handle,
            "url": f"https://x.com/{handle or 'i'}/status/{quoted}",
        }
    place = dict_of(includes.places.get(text_of(at(item, "geo", "place_id"))))
    if place:
        raw["place"] = kept(place, ("full_name", "name", "country_code", "place_type"))
    if dict_of(includes.users.get(text_of(item.get("author_id")))).get("protected") is True:
        raw["protected"] = True
    return raw


def _brief(entities: Any) -> dict[str, list[Any]]:
    """Links, names and tags without their places in the text, which a text written out no longer has."""
    given = dict_of(entities)
    found: dict[str, list[Any]] = {}
    for one in map(dict_of, list_of(given.get("urls"))):
        link = {"url": text_of(one.get("url")), "expanded_url": text_of(one.get("expanded_url"))}
        found.setdefault("urls", []).append(
            link | ({"media_key": text_of(one["media_key"])} if one.get("media_key") else {})
        )
    for one in map(dict_of, list_of(given.get("mentions"))):
        found.setdefault("mentions", []).append(
            {"id": text_of(one.get("id")), "username": text_of(one.get("username"))}
        )
    for one in map(dict_of, list_of(given.get("hashtags"))):
        found.setdefault("hashtags", []).append({"tag": text_of(one.get("tag"))})
    return found


def media_of(item: dict[str, Any], includes: Includes) -> list[dict[str, str]]:
    """Pictures and films as links, with the words that describe them."""
    found = []
    for key in list_of(at(item, "attachments", "media_keys")):
        one = dict_of(includes.media.get(text_of(key)))
        kind = text_of(one.get("type")) or "photo"
        films = [dict_of(variant) for variant in list_of(one.get("variants"))]
        films = sorted(
            (film for film in films if film.get("url")), key=lambda film: -(count_of(film.get("bit_rate")) or 0)
        )
        url = web_url(text_of(one.get("url"))) or web_url(text_of(films[0].get("url")) if films else "")
        url = url or web_url(text_of(one.get("preview_image_url")))
        if url:
            found.append({"url": url, "alt": text_of(one.get("alt_text")), "kind": kind})
    return found


# -- direct messages -------------------------------------------------------------------------------------------------------


def map_event(item: dict[str, Any], includes: Includes = NOTHING, own: Own = NOBODY) -> Mention:
    """The mention that a direct message is; `raw["private"]` is True.

    Raises:
        InputError: it is no message (somebody joined or left), or it lacks id, date or words.
    """
    native_id = native(item)
    kind = text_of(item.get("event_type"))
    if kind and kind.lower() != "messagecreate":
        raise InputError("nobody says anything in it")
    media = media_of(item, includes)
    text = plain_text(text_of(item.get("text")), item.get("entities") or {"urls": item.get("urls")})
    if not text.strip() and (media or at(item, "attachments", "media_keys")):
        text = "\n".join(one["alt"] for one in media if one["alt"]) or f"[{media[0]['kind'] if media else 'media'}]"
    if not text.strip():
        raise InputError("it has no text")
    sender = text_of(item.get("sender_id"))
    conversation = text_of(item.get("dm_conversation_id"))
    conversation = conversation if _CONVERSATION.fullmatch(conversation) else native_id
    raw = kept(item, _EVENT_FIELDS)
    raw["private"] = True
    if media:
        raw["media"] = media
    return Mention(
        network=NETWORK,
        native_id=native_id,
        text=text,
        created_at=_moment(item, native_id),
        kind=MentionKind.MESSAGE,
        author=author_of(sender, includes),
        conversation_id=conversation,
        outbound=own.is_author(sender),
        url=f"https://x.com/messages/{conversation}",
        raw=raw,
    )
