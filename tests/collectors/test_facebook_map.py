"""Facebook's saved answers as mentions: documented shapes of v15.0 (2022) to v26.0 (2026), deliveries, and anything else.

Shapes: Graph API reference (Page Feed, Object Comments, Page Ratings, Conversation, Batch Requests, Handle Errors) and
Webhooks Reference: Page, read 2026-11-26; values are made up.
"""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.facebook import map_answer
from collectors.meta_items import Own
from domain.contracts import Mapped
from domain.mention import MentionKind

PAGE = "104000000000001"
WHEN = "2022-12-05T10:00:00+0000"
TOKEN = "EAAB-secret-token"
FEED_V15 = {
    "data": [
        {
            "id": f"{PAGE}_501",
            "message": "Soldes d'hiver",
            "created_time": WHEN,
            "updated_time": "2022-12-06T08:00:00+0000",
            "from": {"name": "Ormelune", "id": PAGE},
            "permalink_url": f"https://www.facebook.com/{PAGE}/posts/501",
            "shares": {"count": 4},
            "likes": {"data": [], "summary": {"total_count": 12, "can_like": True}},
            "full_picture": "https://scontent.example/501.jpg",
            "comments": {
                "data": [
                    {
                        "id": "501_601",
                        "message": "Où est mon colis ?",
                        "created_time": "2022-12-05T11:00:00+0000",
                        "from": {"name": "Léa", "id": "7001"},
                        "can_reply_privately": True,
                        "comments": {
                            "data": [
                                {
                                    "id": "501_602",
                                    "message": "Quel numéro ?",
                                    "created_time": "2022-12-05T11:05:00+0000",
                                    "from": {"name": "Ormelune", "id": PAGE},
                                }
                            ]
                        },
                    }
                ],
                "summary": {"order": "chronological", "total_count": 2},
                "paging": {"next": f"https://graph.facebook.com/v15.0/x/comments?access_token={TOKEN}"},
            },
        },
        {"id": f"{PAGE}_502", "message": "Très déçu", "created_time": WHEN, "from": {"name": "Paul", "id": "7002"}},
        {"id": f"{PAGE}_503", "story": "Ormelune a changé sa photo.", "created_time": WHEN},
    ],
    "paging": {"next": f"https://graph.facebook.com/v15.0/{PAGE}/feed?access_token={TOKEN}&after=QVFI"},
}
COMMENTS_V26 = {
    "data": [
        {
            "id": "501_601",
            "message": "Où est mon colis ?",
            "created_time": WHEN,
            "from": {"name": "Léa", "id": "7001"},
        },
        {
            "id": "501_603",
            "message": "4711",
            "created_time": WHEN,
            "parent": {"id": "501_602", "parent": {"id": "501_601"}},
            "is_hidden": True,
            "attachment": {"type": "sticker", "media": {"image": {"src": "https://scontent.example/s.png"}}},
        },
    ],
    "paging": {"cursors": {"before": "WTI5dGJXVnVkRjlqZFhKemIzSTZ", "after": "WTI5dGJXVnVkRjlqZFhKemIzSTY"}},
}
RATINGS = {
    "data": [
        {
            "created_time": WHEN,
            "recommendation_type": "positive",
            "review_text": "Super accueil",
            "reviewer": {"name": "Max", "id": "7003"},
            "has_rating": False,
            "open_graph_story": {"id": "8001", "type": "og.likes"},
        },
        {"created_time": WHEN, "recommendation_type": "negative"},
        {"created_time": WHEN, "rating": 4, "has_rating": True, "has_review": False, "reviewer": {"id": "7004"}},
    ]
}
CONVERSATIONS = {
    "data": [
        {
            "id": "t_900",
            "link": f"/{PAGE}/inbox/900/?section=messages",
            "updated_time": WHEN,
            "participants": {
                "data": [
                    {"name": "Nina", "email": "7005@facebook.com", "id": "7005"},
                    {"name": "Ormelune", "email": f"{PAGE}@facebook.com", "id": PAGE},
                ]
            },
            "messages": {
                "data": [
                    {
                        "id": "m_2",
                        "message": "Bonjour Nina",
                        "created_time": "2022-12-05T12:00:00+0000",
                        "from": {"name": "Ormelune", "email": "x", "id": PAGE},
                        "to": {"data": [{"name": "Nina", "id": "7005"}]},
                    },
                    {
                        "id": "m_1",
                        "message": "",
                        "created_time": "2022-12-05T11:59:00+0000",
                        "from": {"name": "Nina", "id": "7005"},
                        "attachments": {
                            "data": [
                                {"id": "1", "mime_type": "image/jpeg", "name": "colis.jpg",
                                 "image_data": {"url": "https://scontent.example/m.jpg", "width": 9, "height": 9}}
                            ]
                        },
                    },
                ],
                "paging": {"next": f"https://graph.facebook.com/v26.0/t_900/messages?access_token={TOKEN}"},
            },
        }
    ]
}  # fmt: skip


def change(**value: Any) -> dict[str, Any]:
    """A delivery with one change of the feed."""
    field = value.pop("field", "feed")
    given = {"item": "comment", "verb": "add", "post_id": f"{PAGE}_501", "created_time": 1670234400, **value}
    return {
        "object": "page",
        "entry": [{"id": PAGE, "time": 1670234401, "changes": [{"field": field, "value": given}]}],
    }


DELIVERY = change(
    comment_id="501_601",
    parent_id=f"{PAGE}_501",
    message="Où est mon colis ?",
    **{"from": {"id": "7001", "name": "Léa"}},
)
MESSAGING = {
    "object": "page",
    "entry": [
        {
            "id": PAGE,
            "time": 1670234400123,
            "messaging": [
                {
                    "sender": {"id": "7005"},
                    "recipient": {"id": PAGE},
                    "timestamp": 1670234400000,
                    "message": {"mid": "m_1", "text": "Bonjour ?"},
                },
                {
                    "sender": {"id": PAGE},
                    "recipient": {"id": "7005"},
                    "timestamp": 1670234460000,
                    "message": {"mid": "m_2", "text": "Bonjour Nina", "is_echo": True, "app_id": 1},
                },
                {
                    "sender": {"id": "7005"},
                    "recipient": {"id": PAGE},
                    "timestamp": 1670234470000,
                    "message": {
                        "mid": "m_3",
                        "attachments": [{"type": "image", "payload": {"url": "https://scontent.example/3.jpg"}}],
                    },
                },
                {"sender": {"id": "7005"}, "recipient": {"id": PAGE}, "timestamp": 1, "read": {"watermark": 5}},
                {"sender": {"id": "7005"}, "recipient": {"id": PAGE}, "message": {"mid": "m_0", "is_deleted": True}},
            ],
        }
    ],
}
SHAPES: dict[str, Any] = {
    "feed": FEED_V15,
    "comments": COMMENTS_V26,
    "ratings": RATINGS,
    "conversations": CONVERSATIONS,
    "delivery": DELIVERY,
    "messaging": MESSAGING,
    "page": {"id": PAGE, "name": "Ormelune", "feed": FEED_V15, "ratings": RATINGS},
    "ids": {f"{PAGE}_502": FEED_V15["data"][1]},  # type: ignore[dict-item,index]
    "batch": [{"code": 200, "body": json.dumps(COMMENTS_V26)}, {"code": 400, "body": '{"error": {"code": 100}}'}, None],
    "error": {"error": {"message": "Error validating access token", "code": 190, "error_subcode": 463}},
}


def by_id(mapped: Mapped) -> dict[str, Any]:
    return {one.native_id: one for one in mapped.mentions}


# -- pages -----------------------------------------------------------------------------------------------------------------


def test_a_feed_of_2022_with_its_comments() -> None:
    mapped = map_answer(FEED_V15)
    found = by_id(mapped)
    assert mapped.rejects == ()
    assert {one: (found[one].conversation_id, found[one].parent_id, found[one].outbound) for one in found} == {
        f"{PAGE}_501": (f"{PAGE}_501", None, True),
        "501_601": ("501_601", f"{PAGE}_501", False),
        "501_602": ("501_601", "501_601", True),
        f"{PAGE}_502": (f"{PAGE}_502", None, False),
        f"{PAGE}_503": (f"{PAGE}_503", None, False),
    }
    post = found[f"{PAGE}_501"]
    assert (post.engagement.like_count, post.engagement.share_count, post.engagement.reply_count) == (12, 4, 2)
    assert post.raw["media"] == [{"url": "https://scontent.example/501.jpg", "alt": "", "kind": "photo"}]
    assert (found[f"{PAGE}_503"].title, found[f"{PAGE}_502"].raw["sort"]) == ("Ormelune a changé sa photo.", "visitor")
    assert TOKEN not in repr(mapped)
    assert all(TOKEN not in json.dumps(one.raw) for one in mapped.mentions)


def test_a_page_of_comments_of_2026() -> None:
    mapped = map_answer(COMMENTS_V26)
    found = by_id(mapped)
    assert {one.kind for one in found.values()} == {MentionKind.COMMENT}
    nested = found["501_603"]
    assert (nested.conversation_id, nested.parent_id, nested.author) == ("501_601", "501_602", None)
    assert nested.raw["is_hidden"] is True and nested.raw["media"][0]["kind"] == "sticker"


@pytest.mark.parametrize(
    ("surroundings", "kind"),
    [
        ({"paging": {"next": "https://graph.facebook.com/v22.0/1/comments?after=x"}}, MentionKind.COMMENT),
        ({"paging": {"next": "https://graph.facebook.com/v22.0/1/visitor_posts?after=x"}}, MentionKind.POST),
        ({"paging": {"previous": "https://graph.facebook.com/v22.0/1/tagged?before=x"}}, MentionKind.POST),
        ({"summary": {"can_comment": True, "order": "chronological"}}, MentionKind.COMMENT),
        ({}, MentionKind.COMMENT),
    ],
)
def test_items_that_say_little_are_told_by_what_surrounds_them(surroundings: Any, kind: MentionKind) -> None:
    item = {"id": "501_601", "message": "Bonjour", "created_time": WHEN, "from": {"id": "7001", "name": "Léa"}}
    (mention,) = map_answer({"data": [item], **surroundings}).mentions
    assert mention.kind is kind


def test_recommendations() -> None:
    first, second, third = map_answer(RATINGS).mentions
    assert (first.native_id, first.text, first.rating) == ("8001", "Super accueil", None)
    assert first.raw["recommendation_type"] == "positive" and first.author.name == "Max"  # type: ignore[union-attr]
    assert (second.title, second.author, second.rating) == ("Not recommended", None, None)
    assert (third.title, third.rating) == ("4 / 5", 4)
    assert second.native_id != third.native_id and second.native_id.startswith("h")
    assert map_answer(RATINGS) == map_answer(copy.deepcopy(RATINGS))


def test_conversations_name_our_page_in_their_address() -> None:
    answer, asked = map_answer(CONVERSATIONS).mentions
    assert (answer.outbound, asked.outbound) == (True, False)
    assert answer.conversation_id == asked.conversation_id == "7005"
    assert asked.title == "colis.jpg" and asked.raw["media"][0]["kind"] == "photo"
    assert asked.url == f"https://www.facebook.com/{PAGE}/inbox/900/?section=messages"


def test_messages_where_nobody_knows_who_we_are_stay_in_their_conversation() -> None:
    body = copy.deepcopy(CONVERSATIONS)
    del body["data"][0]["link"]  # type: ignore[attr-defined]
    assert {one.conversation_id for one in map_answer(body).mentions} == {"t_900"}
    assert {one.conversation_id for one in map_answer(body, Own(frozenset({PAGE}))).mentions} == {"7005"}


def test_a_page_with_its_edges_and_objects_by_their_ids() -> None:
    whole = map_answer(SHAPES["page"])
    assert len(whole.mentions) == 8 and whole.rejects == ()
    assert [one.native_id for one in map_answer(SHAPES["ids"]).mentions] == [f"{PAGE}_502"]


def test_a_batch_with_partial_errors() -> None:
    mapped = map_answer(SHAPES["batch"])
    assert len(mapped.mentions) == 2
    assert [one.position for one in mapped.rejects] == ["item 2: error", "item 3"]


@pytest.mark.parametrize(
    ("body", "position", "words"),
    [
        (SHAPES["error"], "error", "190"),
        ({"error": {"message": "(#4) limit", "code": 4}}, "error", "error 4"),
        ({"data": [{"id": "1"}]}, "item 1", "only by its id"),
        ({"data": [None]}, "item 1", "neither an object nor a list"),
        (
            {"data": [{"id": "1_2", "message": "Bonjour", "created_time": "hier", "from": {"id": "3"}}]},
            "item 1",
            "date",
        ),
        ({"data": [{"message": "Bonjour", "created_time": WHEN, "from": {"id": "3"}}]}, "item 1", "has no id"),
        ("Bonjour", "answer", "neither an object nor a list"),
        (None, "answer", "neither an object nor a list"),
        ({"weather": "fine"}, "answer", "no item of a known kind"),
        (change(comment_id="501_1", verb="hide"), "entry 1, change 1", "says nothing|only by its id"),
        (change(field="leadgen", item="", verb=""), "entry 1, change 1", "is not read"),
    ],
)
def test_what_cannot_be_a_mention_is_a_reject(body: Any, position: str, words: str) -> None:
    mapped = map_answer(body)
    assert mapped.mentions == ()
    (reject,) = mapped.rejects
    assert reject.position == position
    assert any(word in reject.reason for word in words.split("|")), reject.reason


def test_reactions_are_passed_over() -> None:
    mapped = map_answer({"data": [{"id": "1", "name": "Léa", "type": "LOVE"}]})
    assert (mapped.rejects, mapped.notes) == ((), ("Passed over, as no words are in it: reaction (1).",))


def test_an_empty_page_is_nothing() -> None:
    assert map_answer({"data": []}) == Mapped()


# -- deliveries ------------------------------------------------------------------------------------------------------------


def test_a_delivered_comment() -> None:
    (mention,) = map_answer(DELIVERY).mentions
    assert (mention.native_id, mention.conversation_id, mention.parent_id) == ("501_601", "501_601", f"{PAGE}_501")
    assert (mention.text, mention.outbound, mention.author.name) == ("Où est mon colis ?", False, "Léa")  # type: ignore[union-attr]
    assert mention.created_at.isoformat() == "2022-12-05T10:00:00+00:00"


def test_delivered_answers_belong_to_the_comment_and_ours_are_ours() -> None:
    body = change(comment_id="501_602", parent_id="501_601", message="Quel numéro ?", **{"from": {"id": PAGE}})
    (mention,) = map_answer(body).mentions
    assert (mention.conversation_id, mention.parent_id, mention.outbound) == ("501_601", "501_601", True)


def test_senders_of_older_deliveries_stand_beside() -> None:
    body = change(comment_id="501_601", parent_id=f"{PAGE}_501", message="Bonjour", sender_id=7001, sender_name="Léa")
    (mention,) = map_answer(body).mentions
    assert mention.author and (mention.author.native_id, mention.author.name) == ("7001", "Léa")


@pytest.mark.parametrize("verb", ["remove", "delete"])
def test_removals_travel(verb: str) -> None:
    assert map_answer(change(comment_id="501_601", verb=verb)).deleted == ("facebook:501_601",)
    assert map_answer(change(item="status", verb=verb)).deleted == (f"facebook:{PAGE}_501",)
    body = change(field="ratings", item="rating", verb=verb, open_graph_story_id="8001", post_id=None)
    assert map_answer(body).deleted == ("facebook:8001",)


def test_hidden_and_edited_comments_keep_their_words() -> None:
    hidden = change(comment_id="501_601", verb="hide", message="Bonjour", **{"from": {"id": "7001"}})
    assert map_answer(hidden).mentions[0].raw["is_hidden"] is True
    edited = change(comment_id="501_601", verb="edited", message="Bonsoir", **{"from": {"id": "7001"}})
    assert map_answer(edited).mentions[0].text == "Bonsoir"


def test_delivered_posts_of_ours_of_visitors_and_of_those_who_tag_us() -> None:
    ours = change(item="status", message="Soldes", **{"from": {"id": PAGE, "name": "Ormelune"}})
    visitors = change(
        item="photo", message="Très déçu", link="https://scontent.example/p.jpg", **{"from": {"id": "7002"}}
    )
    tagged = change(field="mention", item="post", post_id="7002_5", message="Chez Ormelune", sender_id="7002")
    found = [map_answer(body).mentions[0] for body in (ours, visitors, tagged)]
    assert [(one.raw["sort"], one.outbound) for one in found] == [("own", True), ("visitor", False), ("tagged", False)]
    assert found[1].raw["media"] == [{"url": "https://scontent.example/p.jpg", "alt": "", "kind": "photo"}]
    assert map_answer(change(item="status", message="Brouillon", published=0)).mentions == ()


def test_delivered_recommendations_and_what_is_answered_to_them() -> None:
    body = change(field="ratings", item="rating", review_text="Super", recommendation_type="positive",
                  reviewer_id=7003, reviewer_name="Max", open_graph_story_id="8001", post_id=None)  # fmt: skip
    (mention,) = map_answer(body).mentions
    assert (mention.native_id, mention.kind, mention.author.name) == ("8001", MentionKind.REVIEW, "Max")  # type: ignore[union-attr]
    body = change(
        field="ratings", item="comment", comment_id="8001_1", post_id="8001", parent_id="8001", message="Merci"
    )
    assert map_answer(body).mentions[0].conversation_id == "8001"


def test_delivered_messages() -> None:
    mapped = map_answer(MESSAGING)
    found = by_id(mapped)
    assert {one.conversation_id for one in found.values()} == {"7005"}
    assert [found[one].outbound for one in ("m_1", "m_2", "m_3")] == [False, True, False]
    assert found["m_3"].title == "Photo" and found["m_3"].raw["media"][0]["url"].endswith("3.jpg")
    assert mapped.deleted == ("facebook:m_0",)
    assert mapped.notes == ("Passed over, as no words are in it: sign of reading (1).",)


def test_likes_are_passed_over_and_several_entries_are_read() -> None:
    body = copy.deepcopy(DELIVERY)
    body["entry"] += change(item="reaction", reaction_type="love")["entry"] + MESSAGING["entry"]  # type: ignore[operator]
    mapped = map_answer(body)
    assert len(mapped.mentions) == 4 and mapped.rejects == ()
    assert any("reaction (1)" in note for note in mapped.notes)


# -- anything --------------------------------------------------------------------------------------------------------------

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["\x00", "\ud800", "9" * 400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(body: Any) -> list[tuple[Any, Any]]:
    """Each place in a body that can be spoilt: container and key."""
    found: list[tuple[Any, Any]] = []
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, one in list(inner):
        found += [(body, key), *places(one)]
    return found


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
    before = copy.deepcopy(body)
    mapped = map_answer(body)
    assert repr(body) == repr(before)
    for mention in mapped.mentions:
        assert mention.native_id and (mention.text.strip() or mention.title.strip())
        json.dumps(mention.raw, allow_nan=False).encode()
        for words in (mention.text, mention.title, mention.native_id, mention.conversation_id):
            words.encode()
    for reject in mapped.rejects:
        assert reject.position and reject.reason and len(reject.raw) <= 2_000


@settings(max_examples=60, deadline=None)
@given(JUNK)
def test_junk_is_a_reject(body: Any) -> None:
    mapped = map_answer(body)
    assert mapped.mentions or mapped.rejects or mapped.notes or body in ([], {"data": []}) or isinstance(body, list)
