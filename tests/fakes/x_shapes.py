"""Answers of X as saved bodies, one for each shape that was met from 2022 to 2026; texts and people are made up.

Shapes: OpenAPI 2.157 and 2.167; docs.x.com as of 2026-08-22: "Event payloads" (X Activity API), "Account Activity API"
(v1.1 objects), "Edit Posts", "Conversation ID", "Response Codes & Errors", "Batch Compliance"; v1.1 statuses as
documented on developer.twitter.com in 2022.
"""

from typing import Any

OWNER = "1111111111"
LEA, TOM = "2222222222", "3333333333"
ROOT, ASKED, QUOTING, EDITED = (
    "2031158088299446277",
    "2031233585771446273",
    "2031278884254646276",
    "2031279084254646276",
)

USERS: list[dict[str, Any]] = [
    {
        "id": LEA,
        "name": "Léa Martin",
        "username": "lea_m",
        "protected": False,
        "public_metrics": {"followers_count": 321, "following_count": 5, "tweet_count": 90, "listed_count": 0},
    },
    {"id": OWNER, "name": "Ormelune", "username": "ormelune", "verified_type": "business"},
]
OLD_PAGE: dict[str, Any] = {
    "data": [
        {
            "id": ASKED,
            "text": "@ormelune Taille &amp; prix ? https://t.co/aaaaaaaaaa https://t.co/bbbbbbbbbb",
            "author_id": LEA,
            "conversation_id": ROOT,
            "created_at": "2026-03-10T05:00:00.000Z",
            "lang": "fr",
            "edit_history_tweet_ids": [ASKED],
            "in_reply_to_user_id": OWNER,
            "referenced_tweets": [{"type": "replied_to", "id": ROOT}],
            "entities": {
                "mentions": [{"start": 0, "end": 9, "username": "ormelune", "id": OWNER}],
                "urls": [
                    {
                        "start": 29,
                        "end": 52,
                        "url": "https://t.co/aaaaaaaaaa",
                        "expanded_url": "https://ormelune.example/p?a=1&b=2",
                        "display_url": "ormelune.example/p",
                    },
                    {
                        "start": 53,
                        "end": 76,
                        "url": "https://t.co/bbbbbbbbbb",
                        "expanded_url": f"https://twitter.com/lea_m/status/{ASKED}/photo/1",
                        "display_url": "pic.twitter.com/x",
                        "media_key": "3_1",
                    },
                ],
            },
            "attachments": {"media_keys": ["3_1", "7_2"]},
            "geo": {"place_id": "p1"},
            "public_metrics": {
                "retweet_count": 3,
                "reply_count": 1,
                "like_count": 7,
                "quote_count": 2,
                "bookmark_count": 0,
                "impression_count": 900,
            },
            "withheld": {"copyright": False, "country_codes": ["TR"]},
        },
        {
            "id": QUOTING,
            "text": "Incroyable. https://t.co/cccccccccc",
            "author_id": TOM,
            "conversation_id": QUOTING,
            "created_at": "2026-03-10T08:00:00.000Z",
            "lang": "in",
            "edit_history_tweet_ids": [QUOTING],
            "referenced_tweets": [{"type": "quoted", "id": ROOT}],
            "entities": {
                "urls": [
                    {
                        "start": 12,
                        "end": 35,
                        "url": "https://t.co/cccccccccc",
                        "expanded_url": f"https://twitter.com/ormelune/status/{ROOT}",
                        "display_url": "x.com/ormelune/st…",
                    }
                ]
            },
        },
    ],
    "includes": {
        "users": USERS,
        "tweets": [
            {
                "id": ROOT,
                "text": "Nos pulls &gt; les autres",
                "author_id": OWNER,
                "conversation_id": ROOT,
                "edit_history_tweet_ids": [ROOT],
            }
        ],
        "media": [
            {
                "media_key": "3_1",
                "type": "photo",
                "url": "https://pbs.twimg.com/media/a.jpg",
                "alt_text": "Un pull troué",
            },
            {
                "media_key": "7_2",
                "type": "video",
                "preview_image_url": "https://pbs.twimg.com/b.jpg",
                "variants": [
                    {"content_type": "application/x-mpegURL", "url": "https://video.twimg.com/b.m3u8"},
                    {"bit_rate": 832000, "content_type": "video/mp4", "url": "https://video.twimg.com/b.mp4"},
                ],
            },
        ],
        "places": [
            {"id": "p1", "full_name": "Nantes, France", "country_code": "FR", "name": "Nantes", "place_type": "city"}
        ],
    },
    "meta": {"newest_id": QUOTING, "oldest_id": ASKED, "result_count": 2},
}


def renamed(value: Any) -> Any:
    """A body of 2.157 in the names of 2.167."""
    names = {
        "referenced_tweets": "referenced_posts",
        "edit_history_tweet_ids": "edit_history_post_ids",
        "note_tweet": "note_post",
        "retweet_count": "repost_count",
        "tweet_count": "post_count",
        "tweets": "posts",
    }
    if isinstance(value, dict):
        return {names.get(key, key): renamed(inner) for key, inner in value.items()}
    return [renamed(one) for one in value] if isinstance(value, list) else value


LONG: dict[str, Any] = {
    "data": {
        "id": ASKED,
        "text": "Première moitié d’un très long récit… https://t.co/dddddddddd",
        "note_tweet": {
            "text": "Première moitié d’un très long récit, &lt;et la seconde&gt; : https://t.co/eeeeeeeeee",
            "entities": {
                "urls": [
                    {"start": 62, "end": 85, "url": "https://t.co/eeeeeeeeee", "expanded_url": "https://a.example/"}
                ]
            },
        },
        "edit_history_tweet_ids": [ASKED],
    }
}
EDIT: dict[str, Any] = {
    "data": {"id": EDITED, "text": "Texte corrigé", "author_id": LEA, "edit_history_tweet_ids": [QUOTING, EDITED]},
    "includes": {"tweets": [{"id": QUOTING, "text": "Texte corigé", "edit_history_tweet_ids": [QUOTING, EDITED]}]},
}
BARE: dict[str, Any] = {"data": [{"id": ASKED, "text": "Sans rien d’autre", "edit_history_tweet_ids": [ASKED]}]}
PARTIAL: dict[str, Any] = {
    "data": [{"id": ASKED, "text": "Encore là", "author_id": LEA}],
    "errors": [
        {
            "resource_id": QUOTING,
            "value": QUOTING,
            "resource_type": "tweet",
            "parameter": "ids",
            "section": "data",
            "title": "Not Found Error",
            "detail": f"Could not find tweet with ids: [{QUOTING}].",
            "type": "https://api.twitter.com/2/problems/resource-not-found",
        },
        {
            "resource_id": EDITED,
            "resource_type": "post",
            "title": "Authorization Error",
            "detail": f"Sorry, you are not authorized to see the Post with ids: [{EDITED}].",
            "section": "data",
            "type": "https://api.x.com/2/problems/not-authorized-for-resource",
        },
        {
            "resource_id": TOM,
            "resource_type": "user",
            "title": "Forbidden",
            "detail": f"User has been suspended: [{TOM}].",
            "section": "includes",
            "type": "https://api.twitter.com/2/problems/resource-not-found",
        },
    ],
}
ALL_GONE: dict[str, Any] = {"errors": PARTIAL["errors"][:2]}
EVENTS: dict[str, Any] = {
    "data": [
        {
            "id": "2031301533496246279",
            "event_type": "MessageCreate",
            "text": "Ma commande 42 &amp; la 43",
            "sender_id": LEA,
            "dm_conversation_id": f"{OWNER}-{LEA}",
            "created_at": "2026-03-10T09:30:00.000Z",
        },
        {
            "id": "2031301533496246280",
            "event_type": "MessageCreate",
            "text": "",
            "sender_id": OWNER,
            "dm_conversation_id": f"{OWNER}-{LEA}",
            "created_at": "2026-03-10T09:31:00.000Z",
            "attachments": {"media_keys": ["3_9"]},
        },
        {"id": "1582835469712138240", "event_type": "ParticipantsJoin", "participant_ids": [TOM], "sender_id": LEA},
    ],
    "includes": {
        "users": USERS,
        "media": [{"media_key": "3_9", "type": "photo", "url": "https://ton.twimg.com/9.jpg"}],
    },
    "meta": {"result_count": 3},
}


def activity(kind: str, payload: dict[str, Any], **includes: Any) -> dict[str, Any]:
    """A delivery of the X Activity API."""
    data = {"event_uuid": "-2781149976877970683", "filter": {"user_id": OWNER}, "event_type": kind, "tag": "t"}
    return {"data": {**data, "payload": payload, "includes": includes}}


_MESSAGE_EVENT: dict[str, Any] = {
    "type": "message_create",
    "id": "2080765901528535096",
    "created_timestamp": "1784928224372",
    "message_create": {
        "target": {"recipient_id": OWNER},
        "sender_id": LEA,
        "message_data": {
            "text": "bonjour &amp; merci",
            "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []},
        },
    },
}
DELIVERIES: dict[str, dict[str, Any]] = {
    "mention": activity("post.mention.create", OLD_PAGE["data"][0], users=USERS),
    "reply": activity(
        "post.reply.create",
        {
            "id": ASKED,
            "text": "@ormelune Merci",
            "author_id": LEA,
            "conversation_id": ROOT,
            "in_reply_to_tweet_id": ROOT,
            "in_reply_to_user_id": OWNER,
            "created_at": "2026-03-10T05:00:00.000Z",
        },
    ),
    "quote": activity("post.quote.create", OLD_PAGE["data"][1]),
    "repost": activity(
        "post.repost.create",
        {"id": QUOTING, "text": "RT @ormelune: Nos", "referenced_tweets": [{"type": "retweeted", "id": ROOT}]},
    ),
    "own": activity("post.create", {"id": ROOT, "text": "Bonjour à tous", "author_id": OWNER}),
    "deletion": activity("post.delete", {"id": ASKED, "author_id": OWNER}, users=[{"data": USERS[0]}]),
    "message": activity("dm.received", {"direct_message_events": [_MESSAGE_EVENT], "users": {LEA: {"data": USERS[0]}}}),
    "encrypted": activity("chat.received", {"conversation_id": "g1", "encoded_event": "CwABAAAA"}),
    "like": activity("like.create", {"id": "1", "liked_tweet_id": ROOT}),
    "revoked": {"data": {"event_type": "oauth.revoke", "event_uuid": "9", "filter": {}, "payload": {"user_id": OWNER}}},
}
STATUS: dict[str, Any] = {
    "created_at": "Tue Mar 10 05:00:00 +0000 2026",
    "id": 2031233585771446300,
    "id_str": ASKED,
    "text": "@ormelune Une longue histoire qui ne tient pas… https://t.co/ffffffffff",
    "truncated": True,
    "extended_tweet": {
        "full_text": "@ormelune Une longue histoire qui ne tient pas &amp; qui finit ici https://t.co/gggggggggg",
        "entities": {
            "urls": [
                {"url": "https://t.co/gggggggggg", "expanded_url": "https://ormelune.example/x", "indices": [64, 87]}
            ],
            "user_mentions": [
                {"screen_name": "ormelune", "name": "Ormelune", "id": 1111111111, "id_str": OWNER, "indices": [0, 9]}
            ],
            "hashtags": [],
        },
    },
    "in_reply_to_status_id": 2031158088299446300,
    "in_reply_to_status_id_str": ROOT,
    "in_reply_to_user_id_str": OWNER,
    "user": {
        "id": 2222222222,
        "id_str": LEA,
        "name": "Léa Martin",
        "screen_name": "lea_m",
        "followers_count": 321,
        "protected": False,
    },
    "favorite_count": 7,
    "retweet_count": 3,
    "quote_count": 2,
    "reply_count": 1,
    "lang": "fr",
    "entities": {"urls": [], "user_mentions": []},
}
OLDER: dict[str, dict[str, Any]] = {
    "statuses": {"statuses": [STATUS], "search_metadata": {"count": 1}},
    "created": {"for_user_id": OWNER, "user_has_blocked": False, "tweet_create_events": [STATUS]},
    "retweeted": {
        "for_user_id": OWNER,
        "tweet_create_events": [{**STATUS, "id_str": QUOTING, "retweeted_status": {"id_str": ROOT, "text": "a"}}],
    },
    "messages": {
        "for_user_id": OWNER,
        "direct_message_events": [_MESSAGE_EVENT],
        "users": {LEA: {"id": LEA, "name": "Léa Martin", "screen_name": "lea_m", "followers_count": 22}},
    },
    "deleted": {
        "for_user_id": OWNER,
        "tweet_delete_events": [{"status": {"id": ASKED, "user_id": LEA}, "timestamp_ms": "1773118800000"}],
    },
    "streamed deletion": {"delete": {"status": {"id": 1, "id_str": ASKED, "user_id_str": LEA}}},
    "typing": {"for_user_id": OWNER, "direct_message_indicate_typing_events": [{"created_timestamp": "1518127183443"}]},
    "revoked": {"user_event": {"revoke": {"date_time": "2018-05-24T09:48:12+00:00", "source": {"user_id": OWNER}}}},
    "archive": {"tweet": {"id_str": ASKED, "full_text": "Archivé", "created_at": "Tue Mar 10 05:00:00 +0000 2026"}},
    "compliance job": {"id": ASKED, "action": "delete", "reason": "deleted", "redacted_at": "2026-03-10T05:00:00.000Z"},
    "compliance stream": {"data": {"delete": {"tweet": {"id": ASKED, "author_id": LEA}, "event_at": "2026-03-10"}}},
}
REFUSALS: dict[str, dict[str, Any]] = {
    "problem": {
        "title": "Unauthorized",
        "type": "about:blank",
        "status": 401,
        "detail": "Unauthorized",
    },
    "invalid": {
        "errors": [{"parameters": {"query": [""]}, "message": "Invalid 'query':''."}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.twitter.com/2/problems/invalid-request",
    },
    "older": {"errors": [{"code": 88, "message": "Rate limit exceeded"}]},
    "oldest": {"error": "Not authorized."},
    "capped": {
        "account_id": 1,
        "product_name": "standard-basic",
        "title": "UsageCapExceeded",
        "period": "Monthly",
        "scope": "Product",
        "detail": "Usage cap exceeded: Monthly product cap",
        "type": "https://api.twitter.com/2/problems/usage-capped",
    },
}
ALL: tuple[Any, ...] = (
    OLD_PAGE,
    renamed(OLD_PAGE),
    LONG,
    renamed(LONG),
    EDIT,
    BARE,
    PARTIAL,
    ALL_GONE,
    EVENTS,
    *DELIVERIES.values(),
    *OLDER.values(),
    *REFUSALS.values(),
    {"data": USERS},
    {"data": [{"start": "a", "end": "b", "tweet_count": 3}], "meta": {"total_tweet_count": 3}},
    {"meta": {"result_count": 0}},
    [OLD_PAGE, STATUS],
)
