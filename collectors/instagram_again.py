"""Looking kept media and comments up again on Instagram: what was edited, hidden or removed since.

Fifty are asked for at once. Only our own media and what stands below them can be looked up: of others' media, Instagram tells
just once, and it calls messages deleted that are merely older than the last twenty.
"""

from collections.abc import Sequence
from dataclasses import replace

from collectors.instagram_map import map_comment, map_media
from collectors.instagram_read import MEDIA_FIELDS
from collectors.meta_graph import BATCH_SIZE, Found, Graph
from collectors.meta_items import Own
from domain.contracts import Page
from domain.errors import InputError
from domain.mention import Mention, MentionId, MentionKind

_COMMENT_FIELDS = "id,text,username,timestamp,like_count,hidden,parent_id,from"
_FIELDS = {MentionKind.COMMENT: _COMMENT_FIELDS, MentionKind.POST: MEDIA_FIELDS}
_FLAGS = ("hidden", "is_comment_enabled")


def rehydrate(graph: Graph, own: Own, mentions: Sequence[Mention]) -> Page:
    """See CanRehydrate."""
    asked = [one for one in mentions if one.kind in _FIELDS and one.raw.get("sort") == "own"]
    changed: list[Mention] = []
    deleted: list[MentionId] = []
    for start in range(0, len(asked), BATCH_SIZE):
        part = asked[start : start + BATCH_SIZE]
        found = graph.several([(one.native_id, _FIELDS[one.kind]) for one in part])
        for mention, answer in zip(part, found, strict=True):
            if answer.gone:
                deleted.append(mention.id)
            elif (now := _now(mention, answer, own)) is not None:
                changed.append(now)
    left = len(mentions) - len(asked)
    notes = (f"Messages, and what stands on others' media, cannot be looked up one by one: {left}.",) if left else ()
    return Page((), None, deleted=tuple(deleted), notes=notes, changed=tuple(changed), spent=graph.spent())


def _now(mention: Mention, answer: Found, own: Own) -> Mention | None:
    """The mention as it is now; None where it is as it was, or nothing was told."""
    if answer.data is None:
        return None
    try:
        if mention.kind is MentionKind.POST:
            found = map_media(answer.data, own, "own")
        else:
            found = map_comment(answer.data, own)
    except InputError:
        return None
    engagement = replace(found.engagement, reply_count=found.engagement.reply_count or mention.engagement.reply_count)
    found = replace(
        found,
        conversation_id=mention.conversation_id,  # what it stands on is known better from where it was heard
        parent_id=mention.parent_id,
        outbound=mention.outbound,
        author=found.author or mention.author,
        url=found.url or mention.url,
        engagement=engagement,
        raw={**mention.raw, **{key: one for key, one in found.raw.items() if key not in {"sort", "media_id", "media"}}},
    )
    flags = any(found.raw.get(name) != mention.raw.get(name) for name in _FLAGS)
    same = (found.text, found.title, found.engagement) == (mention.text, mention.title, mention.engagement)
    return None if same and not flags else found
