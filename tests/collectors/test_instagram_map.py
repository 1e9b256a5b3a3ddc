"""Instagram's saved answers as mentions: documented shapes of v15.0 (2022) to v26.0 (2026), deliveries, and anything else.

Shapes: Instagram Platform (IG Media, IG Comment, Mentioned Comment, Mentioned Media, Hashtag Recent Media, Webhook
Notification Examples) and Messenger Platform (Conversations API), read 2026-11-26; values are made up.
"""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.instagram import map_answer
from collectors.meta_items import Own
from domain.contracts import Mapped
from domain.mention import MentionKind
from tests.collectors.test_facebook_map import JUNK, places

ACCOUNT = "17841400000000001"
WHEN = "2022-12-05T10:00:00+0000"
TOKEN = "EAAB-secret-token"
COMMENT = {
    "id": "17870913679156914",
    "text": "En bleu ?",
    "timestamp": "2022-12-05T11:00:00+0000",
    "username": "lea.m",
    "from": {"id": "7001", "username": "lea.m"},
    "like_count": 2,
    "hidden": False,
    "replies": {
        "data": [
            {
                "id": "17873440459141021",
                "text": "@lea.m Oui !",
                "timestamp": "2022-12-05T11:05:00+0000",
                "username": "ormelune",
                "user": {"id": ACCOUNT},
            }
        ]
    },
}
MEDIA = {
    "data": [
        {
            "id": "17895695668004550",
            "caption": "Le pull marin #ormelune",
            "media_type": "CAROUSEL_ALBUM",
            "media_product_type": "FEED",
            "permalink": "https://www.instagram.com/p/Cabc/",
            "timestamp": WHEN,
            "username": "ormelune",
            "owner": {"id": ACCOUNT},
            "like_count": 40,
            "comments_count": 2,
            "children": {
                "data": [
                    {"media_type": "IMAGE", "media_url": "https://scontent.example/1.jpg", "id": "1"},
                    {"media_type": "VIDEO", "media_url": "https://scontent.example/2.mp4", "id": "2",
                     "thumbnail_url": "https://scontent.example/2.jpg"},
                ]
            },
            "comments": {"data": [COMMENT]},
        },
        {"id": "17895695668004551", "media_type": "VIDEO", "media_product_type": "REELS", "timestamp": WHEN},
    ],
    "paging": {"next": f"https://graph.facebook.com/v15.0/{ACCOUNT}/media?access_token={TOKEN}&after=QVFI"},
}  # fmt: skip
HASHTAG = {
    "data": [
        {
            "id": "179",
            "caption": "Mon look #pullmarin",
            "permalink": "https://www.instagram.com/p/x/",
            "timestamp": WHEN,
        }
    ],
    "paging": {"next": f"https://graph.facebook.com/v26.0/178/recent_media?user_id=1&access_token={TOKEN}"},
}
MENTIONED_COMMENT = {
    "mentioned_comment": {
        "id": "17894227972186120",
        "text": "@ormelune ?",
        "timestamp": WHEN,
        "media": {"id": "17918195224117851"},
    },
    "id": ACCOUNT,
}
MENTIONED_MEDIA = {
    "mentioned_media": {"id": "17918195224117851", "caption": "Chez ormelune", "username": "zoe", "timestamp": WHEN},
    "id": ACCOUNT,
}
CONVERSATION = {
    "id": "aWdfZAG06MTpJR01lc3NhZA2",
    "updated_time": WHEN,
    "participants": {"data": [{"username": "nina", "id": "7005"}, {"username": "ormelune", "id": ACCOUNT}]},
    "messages": {
        "data": [
            {"id": "aWdfMQ", "created_time": WHEN, "message": "Bonjour", "from": {"username": "nina", "id": "7005"}},
            {"id": "aWdfMg", "created_time": WHEN, "message": "", "from": {"username": "nina", "id": "7005"},
             "story": {"mention": {"link": "https://scontent.example/s.jpg", "id": "1"}}},
            {"id": "aWdfMw", "created_time": WHEN, "message": "", "is_unsupported": True, "from": {"id": "7005"}},
            {"id": "aWdfNA", "created_time": WHEN},
        ],
        "paging": {"next": f"https://graph.facebook.com/v26.0/x/messages?access_token={TOKEN}"},
    },
}  # fmt: skip


def change(field: str, value: Any) -> dict[str, Any]:
    """A delivery with one change."""
    return {
        "object": "instagram",
        "entry": [{"id": ACCOUNT, "time": 1670234401, "changes": [{"field": field, "value": value}]}],
    }


COMMENTED = change(
    "comments",
    {
        "from": {"id": "7001", "username": "lea.m"},
        "comment_id": "17870913679156914",
        "parent_id": "17870913679156000",
        "text": "Et en ligne ?",
        "media": {"id": "17895695668004550", "media_product_type": "FEED"},
    },
)
SHAPES: dict[str, Any] = {
    "media": MEDIA,
    "comments": {"data": [COMMENT]},
    "hashtag": HASHTAG,
    "mentioned_comment": MENTIONED_COMMENT,
    "mentioned_media": MENTIONED_MEDIA,
    "conversations": {"data": [CONVERSATION]},
    "delivery": COMMENTED,
    "flat": {"object": "instagram", "entry": [{"id": ACCOUNT, "time": 1, "field": "comments", "value": COMMENT}]},
    "account": {"id": ACCOUNT, "username": "ormelune", "media": MEDIA},
    "ids": {"17895695668004550": MEDIA["data"][0]},  # type: ignore[index]
    "batch": [{"code": 200, "body": json.dumps(COMMENT)}, {"code": 400, "body": '{"error": {"code": 100}}'}, None],
    "error": {"error": {"message": "Unsupported get request", "code": 100, "error_subcode": 33}},
}


def by_id(mapped: Mapped) -> dict[str, Any]:
    return {one.native_id: one for one in mapped.mentions}


def test_media_of_2022_with_their_comments() -> None:
    mapped = map_answer(MEDIA)
    found = by_id(mapped)
    assert mapped.rejects == ()
    medium, reel = found["17895695668004550"], found["17895695668004551"]
    assert [one["url"][-5:] for one in medium.raw["media"]] == ["1.jpg", "2.mp4", "2.jpg"]
    assert (medium.outbound, medium.engagement.like_count, medium.engagement.reply_count) == (True, 40, 2)
    assert (reel.title, reel.text) == ("Reel", "")
    comment, answer = found["17870913679156914"], found["17873440459141021"]
    assert comment.conversation_id == answer.conversation_id == comment.native_id
    assert (comment.parent_id, answer.parent_id) == (medium.native_id, comment.native_id)
    assert (comment.outbound, answer.outbound) == (False, True)
    assert comment.url == medium.url
    assert TOKEN not in repr(mapped) and all(TOKEN not in json.dumps(one.raw) for one in mapped.mentions)


def test_what_a_hashtag_found_has_no_author_and_is_not_ours() -> None:
    (mention,) = map_answer(HASHTAG).mentions
    assert (mention.author, mention.outbound, mention.raw["sort"]) == (None, False, "hashtag")


def test_mentions_on_the_media_of_others_are_in_the_thread_of_the_medium() -> None:
    (comment,) = map_answer(MENTIONED_COMMENT).mentions
    (medium,) = map_answer(MENTIONED_MEDIA).mentions
    assert comment.conversation_id == medium.conversation_id == "17918195224117851"
    assert comment.raw["sort"] == medium.raw["sort"] == "mentioned"
    assert medium.author and medium.author.handle == "zoe"


def test_direct_messages() -> None:
    mapped = map_answer({"data": [CONVERSATION]}, Own(frozenset({ACCOUNT}), "ormelune"))
    assert [one.text or one.title for one in mapped.mentions] == [
        "Bonjour",
        "Story",
        "A message of a kind that Meta shows only in its own app",
    ]
    assert {one.conversation_id for one in mapped.mentions} == {"7005"}
    (reject,) = mapped.rejects
    assert (reject.position, "says nothing" in reject.reason) == ("item 1, message 4", True)


def test_a_delivered_comment() -> None:
    (mention,) = map_answer(COMMENTED).mentions
    assert (mention.native_id, mention.conversation_id) == ("17870913679156914", "17870913679156000")
    assert mention.parent_id == "17870913679156000"
    assert mention.created_at.isoformat() == "2022-12-05T10:00:01+00:00"
    live = change("live_comments", {"id": "1", "text": "Bonsoir", "media": {"id": "2", "media_product_type": "LIVE"}})
    assert map_answer(live).mentions[0].raw["live"] is True


@pytest.mark.parametrize("sender", [{"id": ACCOUNT}, {"id": "900", "username": "ormelune", "self_ig_scoped_id": "901"}])
def test_our_own_comments_are_delivered_as_ours(sender: dict[str, str]) -> None:
    body = change("comments", {"id": "1", "text": "Oui !", "from": sender, "media": {"id": "2"}})
    assert map_answer(body).mentions[0].outbound


def test_an_account_and_objects_by_their_ids() -> None:
    assert len(map_answer(SHAPES["account"]).mentions) == 4
    assert len(map_answer(SHAPES["ids"]).mentions) == 3
    whole = {"business_discovery": {"username": "autre", "media": {"data": [{**MEDIA["data"][0], "owner": None}]}}}  # type: ignore[dict-item]
    assert [one.outbound for one in map_answer(whole).mentions if one.kind is MentionKind.POST] == [False]


@pytest.mark.parametrize(
    ("body", "position", "words"),
    [
        (SHAPES["error"], "error", "error 100"),
        (change("mentions", {"media_id": "1"}), "entry 1, change 1", "only by its id"),
        (change("follows", {"id": "1"}), "entry 1, change 1", "is not read"),
        ({"data": [{"id": "1"}]}, "item 1", "only by its id"),
        ({"data": [{"id": "1", "text": "", "timestamp": WHEN}]}, "item 1", "says nothing"),
        ({"data": [{"id": "1", "text": "a"}]}, "item 1", "no date"),
        ({"data": [None]}, "item 1", "neither an object nor a list"),
        (5, "answer", "neither an object nor a list"),
        ({"followers_count": 5}, "answer", "no item of a known kind"),
    ],
)
def test_what_cannot_be_a_mention_is_a_reject(body: Any, position: str, words: str) -> None:
    mapped = map_answer(body)
    assert mapped.mentions == ()
    (reject,) = mapped.rejects
    assert reject.position == position and words in reject.reason


def test_a_batch_with_partial_errors() -> None:
    mapped = map_answer(SHAPES["batch"])
    assert len(mapped.mentions) == 2
    assert [one.position for one in mapped.rejects] == ["item 2: error", "item 3"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_spoilt_answers_never_raise(data: st.DataObject) -> None:
    body = copy.deepcopy(SHAPES[data.draw(st.sampled_from(sorted(SHAPES)))])
    for _ in range(data.draw(st.integers(1, 4))):
        spots = places(body)
        if not spots:
            break
        container, key = spots[data.draw(st.integers(0, len(spots) - 1))]
        if isinstance(container, dict) and data.draw(st.booleans()):
            container.pop(key, None)
        else:
            container[key] = data.draw(JUNK)
    before = repr(body)
    mapped = map_answer(body)
    assert repr(body) == before
    for mention in mapped.mentions:
        assert mention.native_id and (mention.text.strip() or mention.title.strip())
        json.dumps(mention.raw, allow_nan=False).encode()
        for words in (mention.text, mention.title, mention.native_id, mention.conversation_id):
            words.encode()
    for reject in mapped.rejects:
        assert reject.position and reject.reason and len(reject.raw) <= 2_000
