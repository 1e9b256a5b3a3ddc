"""What the columns of an export mean: usual names in French and English, the mapping that a person gives, row -> Mention.

Pure: the same row gives the same mention. A value that cannot be read is left out and counted, a row that cannot become a
mention raises `UnusableRowError` with the reason. To know one more usual name, add it to FIELDS, the better one first.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from collectors.tables.dates import DateReader
from collectors.values import content_id, count, language, network_key, plain_name, rating, short_id, web_url
from domain.errors import InputError
from domain.mention import Author, Engagement, Mention, MentionKind

# Field of a mention -> usual column names, as `plain_name` writes them, the better one first. A dot: within an object.
FIELDS: dict[str, tuple[str, ...]] = {
    field: tuple(names.split())
    for field, names in {
        "text": "fulltext text texte message messagetext content contenu commentaire commentaires comment verbatim avis "
        "review reviewtext reviewbody reviewcontent body corps tweet tweettext post posttext publication caption legende "
        "temoignage feedback reclamation texteavis textedelavis avisclient commentaireclient contenudumessage",
        "created_at": "createdat created createdtime createddate creationdate date datetime timestamp publishedat "
        "published publishdate publieele publiele publishedon postedat posteddate datedepublication datepublication "
        "datecreation datedecreation dateavis datedelavis datedavis datecommentaire datemessage reviewdate reviewcreatedat "
        "tweetcreated dateheure dateetheure horodatage createdutc postele posteele",
        "clock": "heure time hour heuredepublication",
        "native_id": "id tweetid idstr postid messageid mentionid commentid reviewid avisid idavis idmessage "
        "idcommentaire idpost nativeid identifiant uuid guid",
        "author_id": "authorid user.idstr user.id author.id from.id userid useridstr auteurid idauteur fromid",
        "handle": "user.screenname user.username author.username username screenname handle pseudo pseudonyme authorusername "
        "userscreenname authorhandle login",
        "author": "user.name author.name from.name author auteur authorname nomauteur nomdelauteur user utilisateur name "
        "nom displayname reviewer reviewername consumer fromname nomclient",
        "author_url": "authorurl profileurl userurl lienauteur",
        "followers": "followers followercount followerscount userfollowerscount authorfollowerscount abonnes",
        "url": "url link lien permalink permalinkurl tweeturl posturl reviewurl lienavis",
        "rating": "rating note etoiles etoile stars star starrating noteglobale notesur5 noteavis",
        "lang": "lang langue language locale langage",
        "network": "network reseau reseausocial canal channel plateforme platform source",
        "store": "store magasin boutique shop storename nommagasin nomboutique pointdevente etablissement",
        "product": "product produit productname nomproduit nomduproduit productid produitid sku",
        "parent_id": "parentid parent inreplyto inreplytoid inreplytostatusid inreplytostatusidstr inreplytotweetid "
        "inresponsetotweetid replytoid replyto enreponsea",
        "conversation_id": "conversationid conversation threadid thread fil discussion idconversation",
        "title": "title titre objet sujet subject headline titreavis titredelavis reviewtitle",
        "order_ref": "orderref order commande ordernumber orderid numerocommande numerodecommande ncommande nocommande "
        "ndecommande numcommande refcommande",
        "likes": "likes likecount likescount favoritecount favouritescount favorites jaime nblikes nombredelikes "
        "publicmetricslikecount",
        "shares": "retweets retweetcount reposts repostcount shares sharecount partages nbpartages "
        "publicmetricsretweetcount publicmetricsrepostcount",
        "replies": "replycount repliescount replies nbreponses commentscount nbcommentaires publicmetricsreplycount",
        "views": "views viewcount vues impressions impressioncount publicmetricsimpressioncount",
        "outbound": "outbound sortant",
        "inbound": "inbound entrant",
    }.items()
}
_FIELD_OF = {name: (rank, key) for key, names in FIELDS.items() for rank, name in enumerate(names)}
_NOTHING = frozenset({"", "nan", "nat", "null", "none", "n/a", "#n/a", "na", "-", "--"})
_NOBODY = frozenset({"anonyme", "anonymous", "unknown", "inconnu", "utilisateuranonyme", "anonymoususer", "deleted"})
_YES = frozenset({"1", "true", "yes", "oui", "vrai", "y", "o"})
_NO = frozenset({"0", "false", "no", "non", "faux", "n"})
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+")
_ROUNDED = "\x00"  # no id can be that
_NO_COUNTS = Engagement()
_EXACT_BELOW = 2**53  # a spreadsheet keeps 15 digits of a number


class Remark(StrEnum):
    """What a person should know of how rows were read; `files` counts them and says them in words."""

    ID_MADE = "id_made"
    ID_ROUNDED = "id_rounded"
    NO_DATE = "no_date"
    NO_ZONE = "no_zone"
    DAY_OR_MONTH = "day_or_month"
    RATING_UNREAD = "rating_unread"
    NAMES_ONLY = "names_only"


class UnusableRowError(Exception):
    """The row cannot become a mention; the message is the reason, for the list of rejects."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows of one file are read.

    Attributes:
        mapping: field -> column, as given by a person; goes before the usual names.
        network: key of the channel of rows that name none.
        undated_at: the moment given to rows without a date; ids do not depend on it.
    """

    dates: DateReader
    network: str
    undated_at: datetime
    mapping: Mapping[str, str] = field(default_factory=dict)


Plan = dict[str, str]  # field -> the column that holds it


def plan_for(names: Collection[str], mapping: Mapping[str, str]) -> Plan:
    """Which column holds what: what a person said, else the best of the usual names.

    Only one column holds a field: where the best one is empty, a lesser one ("commentaires": 3) is no replacement.
    """
    plan = {key: column for key, column in mapping.items() if column in names}
    ranks: dict[str, int] = {}
    for name in names:
        rank, key = _field_of(name)
        if key and key not in mapping and name not in plan.values() and rank < ranks.get(key, len(_FIELD_OF)):
            ranks[key] = rank
            plan[key] = name
    if "clock" in plan and "created_at" not in plan:
        plan["created_at"] = plan.pop("clock")  # "time" may well hold the whole date
    return plan


def _field_of(name: str) -> tuple[int, str]:
    within = ".".join(map(plain_name, name.split(".")))
    return _FIELD_OF.get(within) or _FIELD_OF.get(plain_name(name), (0, ""))


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the objects in it spread out, two levels deep: {"user": {"name": "Zoé"}} -> {"user.name": "Zoé"}."""
    for _ in range(2):
        if not any(type(cell) is dict for cell in row.values()):
            break
        spread: dict[str, Any] = {}
        for name, cell in row.items():
            if type(cell) is dict:
                spread.update((f"{name}.{inner}", value) for inner, value in cell.items())
            else:
                spread[name] = cell
        row = spread
    return row


def mention_of(
    row: dict[str, Any], cells: dict[str, Any], plan: Plan, reading: Reading
) -> tuple[Mention, tuple[Remark, ...]]:
    """The mention that a row tells of.

    Args:
        row: as it stands in the file; kept as `raw`.
        cells: the same, `flat`.

    Raises:
        UnusableRowError: no text, a text too long, or a date that cannot be read.
    """
    remarks: list[Remark] = []
    text = _text_of(cells, plan)
    network = _network_of(cells, plan) or reading.network
    created_at, said_at = _moment_of(cells, plan, reading, remarks)
    author = _author_of(cells, plan, remarks)
    stars = _rating_of(cells, plan, remarks)
    parent_id = _id_of(cells, plan, "parent_id")
    native_id = _id_of(cells, plan, "native_id")
    if native_id == _ROUNDED:
        remarks.append(Remark.ID_ROUNDED)
    if native_id in {"", _ROUNDED}:
        remarks.append(Remark.ID_MADE)
        native_id = content_id((network, text, author.native_id if author else "", said_at))
    parent_id = "" if parent_id == _ROUNDED else parent_id
    conversation_id = _id_of(cells, plan, "conversation_id")
    try:
        mention = Mention(
            network=network,
            native_id=native_id,
            text=text,
            created_at=created_at,
            kind=_kind_of(network, stars, parent_id),
            author=author,
            conversation_id=conversation_id if conversation_id not in {"", _ROUNDED} else parent_id or native_id,
            parent_id=parent_id or None,
            outbound=_outbound(cells, plan),
            title=_word(cells, plan, "title"),
            url=web_url(_word(cells, plan, "url")),
            lang_hint=language(_word(cells, plan, "lang")),
            rating=stars,
            store=_word(cells, plan, "store") or None,
            product=_word(cells, plan, "product") or None,
            order_ref=_word(cells, plan, "order_ref") or None,
            engagement=_engagement_of(cells, plan),
            raw=row,
        )
    except InputError as error:
        raise UnusableRowError(str(error)) from error
    return mention, tuple(remarks)


def _word(cells: dict[str, Any], plan: Plan, key: str) -> str:
    if key not in plan:
        return ""
    value = cells.get(plan[key])
    if value is None or isinstance(value, dict | list):
        return ""
    word = str(value).strip()
    return "" if word.lower() in _NOTHING else word


def _text_of(cells: dict[str, Any], plan: Plan) -> str:
    if "text" not in plan:
        raise UnusableRowError(f"none of its columns is known to hold the text: {', '.join(cells)[:200]}")
    value = cells.get(plan["text"])
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if value is None or value == "":
        raise UnusableRowError("the text is empty")
    if not isinstance(value, str):
        raise UnusableRowError(f"the column “{plan['text']}” holds no text but {str(value)[:60]}")
    if value.isspace():
        raise UnusableRowError("the text is empty")
    return value


def _network_of(cells: dict[str, Any], plan: Plan) -> str:
    word = _word(cells, plan, "network")
    # “source” is often the program or the data set that a text came from, which is no channel.
    return network_key(word, known_only=plain_name(plan["network"]) == "source") if word else ""


def _moment_of(cells: dict[str, Any], plan: Plan, reading: Reading, remarks: list[Remark]) -> tuple[datetime, str]:
    """The moment, and how the row itself writes it ("" where it does not)."""
    if not (written := _word(cells, plan, "created_at")):
        remarks.append(Remark.NO_DATE)
        return reading.undated_at, ""
    clock = _word(cells, plan, "clock")
    try:
        found = reading.dates.read(written, clock)
    except ValueError as error:
        raise UnusableRowError(f"bad date: {error}") from error
    if found.no_zone:
        remarks.append(Remark.NO_ZONE)
    if found.swappable:
        remarks.append(Remark.DAY_OR_MONTH)
    return found.at, f"{written} {clock}".strip()


def _author_of(cells: dict[str, Any], plan: Plan, remarks: list[Remark]) -> Author | None:
    native_id = _id_of(cells, plan, "author_id")
    native_id = "" if native_id == _ROUNDED else native_id
    handle = _word(cells, plan, "handle").removeprefix("@")
    name = _word(cells, plan, "author")
    if name.startswith("@"):
        name, handle = "", handle or name[1:]
    who = native_id or handle or name
    if not who or plain_name(who) in _NOBODY:
        return None
    if who == name:
        remarks.append(Remark.NAMES_ONLY)
    followers = count(_word(cells, plan, "followers")) if "followers" in plan else None
    return Author(short_id(who), handle, name, web_url(_word(cells, plan, "author_url")), followers)


def _rating_of(cells: dict[str, Any], plan: Plan, remarks: list[Remark]) -> int | None:
    word = _word(cells, plan, "rating")
    stars = rating(word) if word else None
    if word and stars is None:
        remarks.append(Remark.RATING_UNREAD)
    return stars


def _engagement_of(cells: dict[str, Any], plan: Plan) -> Engagement:
    if plan.keys().isdisjoint(("likes", "shares", "replies", "views")):
        return _NO_COUNTS
    likes, shares, replies, views = (count(_word(cells, plan, key)) for key in ("likes", "shares", "replies", "views"))
    return Engagement(likes, shares, replies, views)


def _id_of(cells: dict[str, Any], plan: Plan, key: str) -> str:
    """The id as text; `_ROUNDED` where a spreadsheet kept only its first digits, "" where there is none."""
    value = cells.get(plan[key]) if key in plan else None
    if value is None or isinstance(value, bool | dict | list):
        return ""
    if isinstance(value, float):
        if abs(value) >= _EXACT_BELOW:
            return _ROUNDED
        value = int(value) if value.is_integer() else value
    word = str(value).strip()
    if word.lower() in _NOTHING:
        return ""
    if _SCIENTIFIC.fullmatch(word):
        return _ROUNDED
    return short_id(word[:-2] if word.endswith(".0") and word[:-2].isdigit() else word)


def _kind_of(network: str, stars: int | None, parent_id: str) -> MentionKind:
    if network == "mail":
        return MentionKind.MESSAGE
    if stars is not None:
        return MentionKind.REVIEW
    return MentionKind.COMMENT if parent_id else MentionKind.POST


def _outbound(cells: dict[str, Any], plan: Plan) -> bool:
    if "outbound" in plan:
        return _word(cells, plan, "outbound").lower() in _YES
    return "inbound" in plan and _word(cells, plan, "inbound").lower() in _NO
