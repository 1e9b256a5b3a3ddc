"""The App Store's reviews of an app as mentions: `heard` for one, `map_answer` for a whole saved answer. Pure.

Shapes: App Store Connect API, CustomerReview and CustomerReviewResponseV1 (JSON:API: our answers stand beside the reviews,
in `included`). An author has a nickname and no id.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from collectors.reviews_map import map_bodies, reply_of, review_of, stars
from collectors.wire import at, dict_of, kept, list_of, moment_of, text_of
from domain.contracts import Mapped
from domain.mention import Mention

NETWORK = "app_store"
_RESPONSE = "customerReviewResponses"


def joined(body: Any) -> list[Any]:
    """The reviews of an answer, each with our response in it (`response`); a body that is no answer as it is."""
    data = at(body, "data")
    items = data if isinstance(data, list) else [data] if isinstance(data, dict) else []
    responses = [one for one in list_of(at(body, "included")) if text_of(at(one, "type")) == _RESPONSE]
    by_id = {text_of(at(one, "id")): one for one in responses}
    by_review = {text_of(at(one, "relationships", "review", "data", "id")): one for one in responses}
    found = []
    for item in items:
        wanted = text_of(at(item, "relationships", "response", "data", "id"))
        response = by_id.get(wanted) if wanted else by_review.get(text_of(at(item, "id")))
        found.append({**item, "response": response} if response and isinstance(item, dict) else item)
    return found


def heard(item: Any, app: str = "", product: str = "") -> tuple[Mention, ...]:
    """The review and our answer.

    Args:
        item: as `joined` gives it.
        app: Apple's number of the app; reviews do not say it themselves.
        product: what the app is called here; its number unless given.

    Raises:
        InputError: it has no id, no date, or neither words nor stars.
    """
    told, native_id = dict_of(at(item, "attributes")), text_of(at(item, "id"))
    response = dict_of(at(item, "response"))
    answer = dict_of(response.get("attributes"))
    where = {"app": app} if app else {}
    state = {"state": text_of(answer.get("state")), "response_id": text_of(response.get("id"))} if response else {}
    reply = text_of(answer.get("responseBody"))
    mention = review_of(
        NETWORK,
        native_id,
        text_of(told.get("body")),
        moment_of(told.get("createdDate")),
        stars(told.get("rating")),
        title=text_of(told.get("title")),
        author_name=text_of(told.get("reviewerNickname")),
        url=f"https://apps.apple.com/app/id{quote(app, safe='')}?see-all=reviews" if app else "",
        product=product or app or None,
        raw={
            **where,
            **kept(told, ("territory", "createdDate")),
            **({"reply": {"text": reply, **state}} if reply else {}),
        },
    )
    return (mention, *reply_of(mention, reply, moment_of(answer.get("lastModifiedDate")), {**where, **state}))


def map_answer(body: Any) -> Mapped:
    """The mentions that one JSON body holds, whichever method it answers."""
    bodies = list(_answers(body))
    if bodies:
        body = bodies[0] if len(bodies) == 1 else bodies
    return map_bodies(body, ("data",), _is_review, heard)


def _answers(body: Any) -> Iterator[Any]:
    """Answers with their responses joined to them; nothing where the body is something else."""
    for one in body if isinstance(body, list) else [body]:
        data = at(one, "data")
        if isinstance(data, list):
            yield {**one, "data": joined(one)}
        elif isinstance(data, dict):
            yield joined(one)[0]
        else:
            yield one


def _is_review(item: Mapping[str, Any]) -> bool:
    return text_of(item.get("type")) == "customerReviews" or (
        "attributes" in item and text_of(item.get("type")) in {"", "customerReviews"}
    )
