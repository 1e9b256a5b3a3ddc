"""The site collector on the bench of the contract: a small shop whose pages hold reviews, its sitemap with dates or not."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from collectors import sitemap
from collectors.sitemap_map import map_page
from collectors.sitemap_page import read_page
from domain.contracts import Collector
from tests.collectors.local_web import Reply, serving
from tests.contracts import collector_suite as suite
from tests.contracts.collector_suite import Bench

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)


def _page(number: int) -> bytes:
    said = [
        {
            "@type": "Review",
            "reviewBody": f"avis {number}",
            "author": "Léa",
            "reviewRating": {"ratingValue": number % 6},
        },
        {"@type": "Review", "reviewBody": "", "author": "Tom"},
        {
            "@type": "Question",
            "name": f"question {number}",
            "acceptedAnswer": {"@type": "Answer", "text": "oui", "author": "Zoé"},
        },
    ]
    written = json.dumps({"@type": "Product", "sku": str(number), "review": said})
    return f"<html lang='fr'><script type='application/ld+json'>{written}</script></html>".encode()


def bench(*, dated: bool = True) -> Callable[[Path], Iterator[Bench]]:
    """A bench on a site whose sitemap says when pages changed, or does not."""

    def on(folder: Path) -> Iterator[Bench]:
        routes = {f"/p/{number}": Reply(_page(number)) for number in range(7)}
        with serving({**routes, "/page": Reply(_page(1)), "/busy": Reply(b"", 503)}) as web:
            items = "".join(
                f"<url><loc>{web.url(path)}</loc>{f'<lastmod>2026-03-0{1 + number // 2}</lastmod>' if dated else ''}</url>"
                for number, path in enumerate((*routes, "/gone"))
            )
            index = f"<sitemapindex><sitemap><loc>{web.url('/pages.xml')}</loc></sitemap></sitemapindex>"
            web.routes["/pages.xml"] = lambda _: Reply(f"<urlset>{items}</urlset>".encode())
            web.routes["/sitemap.xml"] = web.routes["/pages.xml"] if dated else lambda _: Reply(index.encode())

            def make(address: str, allow: str = "yes") -> suite.Factory:
                def factory() -> Collector:
                    return sitemap.connect({"url": address, "allow_private": allow}, now=lambda: NOW)

                return factory

            broken = [make(web.url(path)) for path in ("/page", "/busy", "/none")]
            yield Bench(
                make=make(web.base),
                failing=(*broken, make(web.base, "no"), make("shop.example"), make("")),
                mapping=lambda raw: map_page(
                    read_page(raw), "https://a.example", network="reviews", own_names=frozenset(), fallback_at=NOW
                ),
                raws=(_page(3),),
            )

    return on
