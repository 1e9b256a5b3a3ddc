"""Watches and previews as their page shows them: what is listened to, what is wrong with an expression, what one would find.

Pure. Back-fills are in `views_backfills.py`, acts in `acts_watches.py`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dashboard.i18n import msg, n_t, number, t, told
from dashboard.views import network_title
from dashboard.views_case import dollars
from domain.errors import InputError
from domain.watch_lists import check
from store.previews import Counts, Preview, PreviewState, Sample
from store.watches import WatchKind, WatchRow

DAYS = 7
KIND_WORDS: dict[WatchKind, str] = {
    WatchKind.BRAND: msg("Marque"),
    WatchKind.COMPETITOR: msg("Concurrent"),
    WatchKind.TOPIC: msg("Sujet suivi"),
}
# What the help beside the editor shows: an example, and what it finds.
EXAMPLES: tuple[tuple[str, str], ...] = (
    ("ormelune livraison", msg("les deux mots, où qu'ils soient")),
    ("colis OU paquet OU livr*", msg("l'un des mots ; * : tout ce qui commence ainsi")),
    ('"bon de réduction"', msg("ces mots, l'un après l'autre")),
    ('"pull marin"~4', msg("ces mots, dans un ordre ou l'autre, avec au plus 4 autres entre eux")),
    ("pull PROCHE/4 marin", msg("la même chose, écrite autrement")),
    ("ormelune SAUF concours", msg("le premier, sans le second ; un tiret devant le mot le dit aussi")),
    ("(colis OU paquet) perdu", msg("des parenthèses pour grouper")),
    ("#ormelune OU @ormelune", msg("le mot-dièse ou le compte, écrits ainsi")),
    ("colis langue:fr réseau:x", msg("en français, sur X seulement")),
    ("ormelune -auteur:@ormelune", msg("sauf ce que dit ce compte")),
    ("type:review note:<=2", msg("les avis de deux étoiles au plus")),
    ("promo liste:concurrents", msg("ce que trouve aussi la veille « Concurrents »")),
)
_WHERE = re.compile(r"character (\d+)")
_SENTENCES = re.compile(r"(?<=[.!?]) (?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an expression cannot be read; `place` is the index of the character, where it is known."""

    text: str
    query: str
    place: int | None

    @property
    def pointer(self) -> str:
        """The expression, around the place, with a sign under it."""
        if self.place is None:
            return ""
        start = max(0, self.place - 40)
        piece = self.query[start : self.place + 30]
        before, after = "…" if start else "", "…" if len(self.query) > self.place + 30 else ""
        return f"{before}{piece}{after}\n{' ' * (len(before) + self.place - start)}▲"


def problem(query: str, names: Iterable[str] = ()) -> Problem | None:
    """What is wrong with an expression; None where it can be read, or where nothing is written yet.

    Args:
        names: of the watches that it may name.
    """
    clean = " ".join(query.split())
    if not clean:
        return None
    try:
        check(clean, names)
    except InputError as error:
        found = _WHERE.search(str(error))
        place = int(found[1]) - 1 if found else None
        if "ends too early" in str(error):
            place = len(clean)
        return Problem(told(str(error)), clean, place)
    return None


def kind_word(kind: WatchKind) -> str:
    """Whom a watch is about."""
    return t(KIND_WORDS[kind])


def summary(rows: Sequence[WatchRow], counts: Counts | None) -> str:
    """All watches in one sentence; without counts while they are being made."""
    on = [row for row in rows if row.enabled]
    head = n_t("{n} veille", "{n} veilles", len(rows))
    if len(on) < len(rows):
        head += f" ({n_t('{n} en pause', '{n} en pause', len(rows) - len(on))})"
    if counts is None:
        return f"{head}."
    looked = n_t("{n} message gardé", "{n} messages gardés", counts.looked_count)
    if counts.cut:
        looked = t("les {n} messages les plus récents", n=number(counts.looked_count))
    return t("{head}, comparées à {looked} sur {days} jours.", head=head, looked=looked, days=number(DAYS))


def found_line(row: WatchRow, counts: Counts) -> str:
    """What a watch found, by network."""
    found = counts.found.get(row.id, {})
    total = sum(found.values())
    if not counts.looked_count:
        return t("Aucun message gardé sur {n} jours : rien à compter.", n=number(DAYS))
    if not total:
        return t("Rien trouvé en {n} jours.", n=number(DAYS))
    head = n_t("{n} message en {days} jours", "{n} messages en {days} jours", total, days=number(DAYS))
    parts = [f"{network_title(key)} {number(n)}" for key, n in sorted(found.items(), key=lambda one: (-one[1], one[0]))]
    return t("{head} : {parts}", head=head, parts=", ".join(parts))


def where_line(row: WatchRow, titles: Mapping[str, str]) -> str:
    """Which sources it is for."""
    if not row.sources:
        return t("Toutes les sources")
    return ", ".join(titles.get(key, t("{key} (source disparue)", key=key)) for key in row.sources)


# -- previews --------------------------------------------------------------------------------------------------------------


def sentences(text: str) -> str:
    """Sentences of another room in the language of this run: as many at once as are known together, then the rest."""
    parts, found = _SENTENCES.split(text), []
    while parts:
        for count in range(len(parts), 0, -1):
            said = " ".join(parts[:count])
            if count == 1 or told(said) != said:
                break
        found.append(told(said))
        parts = parts[count:]
    return " ".join(found)


def total_line(found: Sequence[Preview]) -> str:
    """The answer in one sentence: found, samples, cost."""
    done = [one for one in found if one.state is PreviewState.DONE]
    counted = [one.found_count for one in done if one.found_count is not None]
    samples = sum(len(one.samples) for one in done)
    if not done:
        return t("Aucune source n'a pu répondre.")
    if not counted:
        count = t("un nombre que les réseaux ne disent pas")
    else:
        count = n_t("{n} message trouvé", "{n} messages trouvés", sum(counted))
        if len(counted) < len(done):
            count = t("au moins {count}", count=count)
    price = sum(one.price for one in done)
    cost = t("lecture ≈ {price}", price=dollars(price)) if price else t("lecture gratuite")
    told_samples = n_t("{n} exemple", "{n} exemples", min(samples, 6))
    return t("Sur les {days} derniers jours : {count}, {samples}, {cost}.", days=number(DAYS), count=count,
             samples=told_samples, cost=cost)  # fmt: skip


def source_line(one: Preview) -> str:
    """One source's answer in a few words."""
    if one.state is PreviewState.FAILED:
        return sentences(one.error)
    if not one.settled:
        return t("en cours…")
    if one.among_kept:
        count = n_t("{n} trouvé", "{n} trouvés", one.found_count or 0)
        looked = n_t("{n} message gardé", "{n} messages gardés", one.looked_count or 0)
        return t("{count} parmi {looked} ici", count=count, looked=looked)
    if one.found_count is None:
        return t("le réseau ne dit pas combien")
    parts = [n_t("{n} trouvé", "{n} trouvés", one.found_count)]
    if one.price:
        parts.append(t("lecture ≈ {price}", price=dollars(one.price)))
    if one.spent:
        parts.append(t("cet essai : {price}", price=dollars(one.spent)))
    return " · ".join(parts)


def search_line(one: Preview) -> str:
    """What the network does of a watch, and what is done here."""
    search = one.search
    if search is None:
        return t("Pas de recherche chez ce réseau : la veille est comparée ici à ce qui est lu.")
    note = f" {sentences(search.note)}" if search.note else ""
    if not search.queries:
        return t("Rien ne peut être demandé à ce réseau pour cette veille.") + note
    if search.exact:
        return t("Le réseau fait tout le tri.") + note
    if search.left:
        return t("Filtré ici : {left}.", left=" · ".join(search.left)) + note
    return t("Le réseau cherche plus large ; chaque message est comparé ici à la veille.") + note


def samples_of(found: Sequence[Preview], most: int = 6) -> list[Sample]:
    """Some of what was found, each source in turn."""
    queues = [list(one.samples) for one in found if one.samples]
    taken: list[Sample] = []
    while queues and len(taken) < most:
        queue = queues.pop(0)
        taken.append(queue.pop(0))
        if queue:
            queues.append(queue)
    return taken
