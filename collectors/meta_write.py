"""What answering has in common on Facebook and on Instagram: private messages, and whether two texts are the same words.

Where public answers go, and where they are looked for, is in `facebook_write` and `instagram_write`.
"""

import unicodedata
from collections.abc import Callable, Iterable
from datetime import timedelta

from collectors.meta_graph import Graph
from domain.contracts import RemoteId
from domain.errors import RefusedError
from domain.mention import Mention

DAY = timedelta(days=1)


def message(graph: Graph, page: str, recipient: dict[str, str], text: str, *, late: bool = False) -> RemoteId:
    """Send a private message.

    Args:
        recipient: ``id`` of a person, or ``comment_id`` or ``post_id`` of what is answered privately.
        late: more than 24 hours after the person wrote: only with the tag that says that a person answers.
    """
    kind = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"} if late else {"messaging_type": "RESPONSE"}
    return RemoteId(graph.say(page, "messages", recipient=recipient, message={"text": text}, **kind))


def person_of(graph: Graph, mention: Mention) -> str:
    """Number of whoever wrote a message. Raises RefusedError where nobody is named."""
    if mention.author is None:
        raise RefusedError(f"{graph.name} does not say who wrote this, so nobody can be written to.")
    return mention.author.native_id


def spoken(text: str) -> str:
    """Words as two texts are compared: Meta trims blanks and composes accents."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def ours(
    messages: Iterable[Mention], mention: Mention, text: str, same: Callable[[str], str] = spoken
) -> RemoteId | None:
    """The first of these that we said after the mention, with these words.

    Args:
        same: what of a text is compared.
    """
    wanted = same(text)
    for one in messages:
        if one.outbound and one.created_at >= mention.created_at and same(one.text) == wanted:
            return RemoteId(one.native_id)
    return None
