"""The retailer's own site: reviews, comments and questions below its products and articles, found through its sitemap.

What is read is what the pages say in schema.org's words for search engines. The sitemap says which pages changed; robots.txt
is honoured; each run reads so many pages and no more. Bytes are read by `sitemap_document` and `sitemap_page`, what they mean
is in `sitemap_map`, how far a site has been read in `sitemap_place`.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urljoin, urlsplit

from collectors.http import Policy, WebReader
from collectors.sitemap_document import SIZE_LIMIT, Listed, SitemapDocument, is_settled, read_sitemap
from collectors.sitemap_map import NETWORK, map_document, map_page
from collectors.sitemap_page import read_page
from collectors.sitemap_place import SitePlace
from collectors.sitemap_robots import Robots, read_robots
from collectors.values import content_id, counted, network_key
from collectors.wire import rejected
from domain.clock import Now, utc_now
from domain.contracts import Collector, CollectorSpec, Cursor, Page, Reject, Setting, Spend, Watch
from domain.errors import ConfigurationError, ContractError, TransientError
from domain.mention import Mention

__all__ = ["SPEC", "SitemapCollector", "connect", "map_document"]

SPEC = CollectorSpec(
    key="sitemap",
    title="Our own site (sitemap)",
    settings=(
        Setting("url", "Address of the site, or of its sitemap.xml"),
        Setting("include", "Only pages whose address holds one of these, separated by commas, e.g. /produits/", False),
        Setting("own_names", "Names under which the shop itself answers there, separated by commas", required=False),
        Setting("pages", "Pages read in one run, 100 unless given", required=False),
        Setting("network", "Channel that it is, reviews unless given", required=False),
        Setting("allow_private", "yes for a server in your own network", required=False),
    ),
    lookback=timedelta(days=36_500),  # a page that changed is read whole, with its oldest reviews
    reads="Reviews with their stars, comments, questions and their answers, as far as the pages tell search engines about them "
    "(JSON-LD in schema.org's words); of pages that the sitemap says have changed, and of pages without a date by turns.",
    answers="Nowhere: a site has no common way to be written to. The link leads to the page, where you answer.",
    access=(
        "Nothing to ask for. The site must have a sitemap, and its shop software must write schema.org data into the pages, "
        "which most do for the stars in search results.",
        "If robots.txt turns programs away, add a group for the name comptoir that allows the pages.",
    ),
    limits="Ours: 100 pages a run, one after the other; 50,000 addresses and 50 MB a sitemap, 200 sitemaps, 5 MB a page.",
    retention="None by contract: it is your own site.",
    facts=(
        "sitemaps.org, Sitemaps XML format: limits as other pages quote them, read 2026-11-26; the page itself not read again",
        "RFC 9309, Robots Exclusion Protocol, 2022: from memory, not read again",
        "schema.org, types Review, Rating, Comment, Question and Answer: from memory, not read again",
    ),
)
_YES = frozenset({"1", "true", "yes", "oui", "on"})
_PAGE_LIMIT = 5 * 2**20  # bytes
_MAX_SITEMAPS = 200
_DEEPEST = 3  # indexes within indexes
_MAX_FAILURES = 3  # in a row: then the site is out of order, not a page
_MAX_PAGES = 5_000
_MAX_WAITING = 100_000  # addresses held at once
_ACCEPT_XML, _ACCEPT_HTML = "application/xml, text/xml;q=0.9, */*;q=0.1", "text/html, application/xhtml+xml, */*;q=0.1"


def connect(settings: Mapping[str, str], *, now: Now = utc_now) -> Collector:
    """The collector of one site. Raises ConfigurationError where a setting is missing or cannot be used."""
    url = settings.get("url", "").strip()
    if not url:
        raise ConfigurationError("The setting url is missing: give the address of your site.")
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).netloc:
        raise ConfigurationError(f"“{url[:200]}” is no web address. Write one that starts with https:// or http://.")
    pages = settings.get("pages", "").strip() or "100"
    if not pages.isascii() or not pages.isdigit() or not 0 < int(pages[:9]) <= _MAX_PAGES:
        raise ConfigurationError(f"The setting pages is “{pages[:40]}”. Write a whole number from 1 to {_MAX_PAGES:,}.")
    allow_private = settings.get("allow_private", "").strip().lower() in _YES
    site = Site(
        url,
        network_key(settings.get("network", "")) or NETWORK,
        tuple(one.strip() for one in settings.get("include", "").split(",") if one.strip()),
        frozenset(one.strip().casefold() for one in settings.get("own_names", "").split(",") if one.strip()),
        int(pages),
    )
    lists = WebReader(
        Policy(allow_private=allow_private, size_limit=SIZE_LIMIT, deadline=timedelta(minutes=2)), now=now
    )
    web = WebReader(Policy(allow_private=allow_private, size_limit=_PAGE_LIMIT), now=now)
    return SitemapCollector(site, lists=lists, web=web, now=now)


@dataclass(frozen=True, slots=True)
class Site:
    """What is read of a site; `own_names` in lower case."""

    url: str
    network: str
    include: tuple[str, ...]
    own_names: frozenset[str]
    page_count: int

    @property
    def host(self) -> str:
        """Its host, with and without www the same."""
        return _host(self.url)

    def wants(self, url: str) -> bool:
        """Whether a page is one of the site's own, and one of those that are read."""
        return _host(url) == self.host and (not self.include or any(piece in url for piece in self.include))


class SitemapCollector:
    """One site."""

    spec = SPEC

    def __init__(self, site: Site, *, lists: WebReader, web: WebReader, now: Now) -> None:
        self._site, self._lists, self._web, self._now = site, lists, web, now

    def check(self) -> None:
        """See Collector: the site has a sitemap, and lets its pages be read."""
        robots = self._robots()
        try:
            first = next(iter(self._pages_listed(robots, SitePlace(""), [])), None)
        except ContractError as error:
            raise ConfigurationError(str(error)) from error
        if first is None:
            raise ConfigurationError(
                "The sitemap lists no page of this site that may be read. Check the settings url and include, and robots.txt."
            )

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:  # noqa: ARG002 - who speaks on our site is heard
        """See Collector."""
        place = told = SitePlace.read(since, content_id((self._site.url, *self._site.include, self._site.network)))
        robots = self._robots()
        notes: list[str] = []
        failures = 0
        for listed, dated in self._due(robots, place, notes):
            mentions, rejects, remark, failure = self._read(listed)
            failures = failures + 1 if failure else 0
            if failure and failures >= _MAX_FAILURES:
                raise failure
            place = place.after(listed, dated=dated, failed=failure is not None, now=self._now())
            if mentions or rejects or remark or notes:
                told, said = place, (*notes, *([remark] if remark else []))
                spent = Spend(call_count=1, item_count=len(mentions))
                yield Page(tuple(mentions), place.cursor(), rejects=tuple(rejects), notes=said, spent=spent)
                notes = []
        if place != told or notes or since is None:
            yield Page((), place.cursor(), notes=tuple(notes))

    # -- which pages -----------------------------------------------------------------------------------------------------

    def _robots(self) -> Robots:
        try:
            answer = self._web.get(urljoin(self._site.url, "/robots.txt"))
        except ConfigurationError:
            return Robots()  # none is there: everything may be read
        except ContractError as error:
            raise ConfigurationError(f"The site's robots.txt cannot be read, so nothing is. {error}") from error
        return read_robots(answer.body)

    def _due(self, robots: Robots, place: SitePlace, notes: list[str]) -> list[tuple[Listed, bool]]:
        """The pages of this run, and whether their dates count: changed ones first, then a round of those without a date."""
        now, most = self._now(), self._site.page_count
        changed: set[tuple[datetime, str]] = set()
        undated: set[str] = set()
        for listed in self._pages_listed(robots, place, notes):
            if listed.changed_at is None or not is_settled(listed, now):
                undated.add(listed.url)
            elif place.is_due(listed):
                changed.add((listed.changed_at, listed.url))
            if len(changed) > _MAX_WAITING:  # the oldest ones go first; the others are listed again next time
                changed = set(heapq.nsmallest(most, changed))
        again = [Listed(url) for url in place.again if robots.allows(url)]
        dated = [Listed(url, at) for at, url in heapq.nsmallest(most, changed)]
        round_ = [Listed(url) for url in heapq.nsmallest(most, place.round(undated, now))]
        found = [(one, True) for one in (*again, *dated)] + [(one, False) for one in round_]
        return list({one.url: (one, is_dated) for one, is_dated in reversed(found)}.values())[::-1][:most]

    def _pages_listed(self, robots: Robots, place: SitePlace, notes: list[str]) -> Iterator[Listed]:
        """The site's own pages, of all of its sitemaps."""
        waiting = [(url, 0) for url in self._sitemaps(robots)]
        seen: set[str] = set()
        turned_away = elsewhere = 0
        while waiting:
            url, depth = waiting.pop(0)
            if url in seen:
                continue
            if len(seen) >= _MAX_SITEMAPS:
                notes.append(
                    f"The site has more than {_MAX_SITEMAPS} sitemaps: the rest is not read. Give one of them as url."
                )
                break
            seen.add(url)
            document = self._sitemap(url)
            if document.shortened:
                notes.append(f"{url} lists more than 50,000 addresses, which no sitemap may: the rest is not read.")
            for listed in document.listed:
                if not document.is_index:
                    mine = self._site.wants(listed.url)
                    allowed = mine and robots.allows(listed.url)
                    elsewhere += _host(listed.url) != self._site.host
                    turned_away += mine and not allowed
                    if allowed:
                        yield listed
                elif _host(listed.url) != self._site.host:
                    elsewhere += 1
                elif depth < _DEEPEST and _may_hold_news(listed, place, self._now()):
                    waiting.append((listed.url, depth + 1))
        if turned_away:
            notes.append(f"robots.txt turns us away from {counted(turned_away, 'page')}. They are not read.")
        if elsewhere:
            notes.append(f"{counted(elsewhere, 'address', 'addresses')} of other sites in the sitemap: not read.")

    def _sitemaps(self, robots: Robots) -> list[str]:
        path = urlsplit(self._site.url).path
        if path.strip("/"):
            return [self._site.url]
        own = [url for url in robots.sitemaps if _host(url) == self._site.host]
        return own or [urljoin(self._site.url, "/sitemap.xml")]

    def _sitemap(self, url: str) -> SitemapDocument:
        answer = self._lists.get(url, accept=_ACCEPT_XML)
        return read_sitemap(answer.body, answer.url)

    # -- one page --------------------------------------------------------------------------------------------------------

    def _read(self, listed: Listed) -> tuple[list[Mention], list[Reject], str, TransientError | None]:
        """What a page says, or why it could not be read; nothing that is wrong with one page stops the others."""
        try:
            answer = self._web.get(listed.url, accept=_ACCEPT_HTML)
        except TransientError as error:
            return [], [rejected(listed.url, str(error), {})], "", error
        except (ConfigurationError, ContractError) as error:
            return [], [rejected(listed.url, str(error), {})], "", None
        if _host(answer.url) != self._site.host:
            return [], [rejected(listed.url, f"it leads to another site ({_host(answer.url)})", {})], "", None
        document = read_page(answer.body, answer.content_type)
        mentions, rejects, undated = map_page(
            document,
            answer.url,
            network=self._site.network,
            own_names=self._site.own_names,
            fallback_at=min(listed.changed_at or self._now(), self._now()),
        )
        remark = (
            f"{counted(undated, 'utterance')} without a date on {listed.url}: dated by the page." if undated else ""
        )
        return mentions, rejects, remark, None


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _may_hold_news(listed: Listed, place: SitePlace, now: datetime) -> bool:
    """Sitemaps that say when they changed need not be read again before they do; a day's margin, as they are made in turns."""
    if not is_settled(listed, now) or not place.changed_at or listed.changed_at is None:
        return True
    return listed.changed_at > datetime.fromisoformat(place.changed_at) - timedelta(days=1)
