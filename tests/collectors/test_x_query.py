"""A watch in X's language: what is asked, what is left to the filter, and that X would take it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.x import map_answer
from collectors.x_query import Search, mention_search, searches, thread_searches
from domain.contracts import Watch
from domain.errors import InputError
from domain.watch import parse, said
from tests.fakes.x import NOW
from tests.fakes.x_search import matcher
from tests.fakes.x_world import World

OURS = " -from:ormelune -@ormelune -is:retweet"


def asked(query: str) -> Search:
    return searches(Watch(query=query), "ormelune")


@pytest.mark.parametrize(
    ("query", "written", "exact"),
    [
        ("livraison", "livraison", True),
        ("livraison retard", "livraison retard", True),
        ('livraison OU "bon de réduction" SAUF concours', '(livraison OR ("bon de reduction" -concours))', True),
        ("pull SAUF (rouge OU bleu)", "pull -rouge -bleu", True),
        ("pull SAUF (rouge bleu)", "pull", False),
        ("pull NOT NOT rouge", "pull rouge", True),
        ('(ormelune "pull marin"~4) -lang:en', "ormelune (pull marin) -lang:en", False),
        ("livr* ormelune", "ormelune", False),
        ('"bon réduc*"', "bon", False),
        ("#promo OU @zara", "(#promo OR @zara)", True),
        ("pull lang:he", "pull lang:iw", True),
        ("pull lang:zz", "pull", False),
        ("author:@Marie", "from:marie", True),
        ("pull network:x kind:post", "pull", True),
        ("pull OU network:instagram", "pull", True),
        ("veste OU note:1", "veste", True),
        ('"or" OU t-shirt', '("or" OR "t-shirt")', True),
    ],
)
def test_what_x_is_asked(query: str, written: str, exact: bool) -> None:
    found = asked(query)
    assert (found.queries, found.exact, found.problem) == ((written + OURS,), exact, "")
    assert bool(found.left) != exact, "what X finds too widely is told"
    matcher(found.queries[0])


def test_words_and_accounts_are_any_of_them() -> None:
    watch = Watch(terms=("Ormelune", "pull marin"), accounts=("@Zara", "@ormelune"))
    assert searches(watch, "OrmeLune").queries == (
        '(ormelune OR "pull marin" OR @zara) -from:OrmeLune -@OrmeLune -is:retweet',
    )


@pytest.mark.parametrize("query", ["network:instagram pull", "kind:message pull", "note:1 pull"])
def test_a_watch_for_elsewhere_asks_nothing(query: str) -> None:
    assert asked(query) == Search()
    assert searches(Watch(), "ormelune") == Search()


@pytest.mark.parametrize("query", ["lang:fr", "lang:fr OU pull", "network:x", "livr*", "pull OU livr*"])
def test_what_x_cannot_search_for_is_said(query: str) -> None:
    found = asked(query)
    assert not found.queries and "X" in found.problem


def test_a_broken_expression_is_told() -> None:
    with pytest.raises(InputError):
        asked("(pull")


def test_a_watch_that_cannot_be_cut_is_said() -> None:
    found = asked(" ".join(f'"phrase numero {number} {"x" * 480}"' for number in range(3)) + " lang:fr")
    assert found.problem == "The watch is too long for X: cut it in two."


def test_a_long_watch_becomes_several_queries_that_fit() -> None:
    words = [f"motcle{number:03d}" for number in range(120)]
    found = asked(" OU ".join(words))
    assert found.exact and len(found.queries) == 4 and max(map(len, found.queries)) <= 512
    text = " ".join(found.queries)
    assert all(word in text for word in words)
    for query in found.queries:
        matcher(query)


def test_conversations_are_packed() -> None:
    ids = [str(2_031_158_088_299_446_277 + number) for number in range(30)]
    queries = thread_searches(ids, "ormelune")
    assert len(queries) == 3 and max(map(len, queries)) <= 512
    assert sum(query.count("conversation_id:") for query in queries) == 30
    for query in [*queries, *thread_searches(ids[:1], "ormelune"), mention_search("ormelune")]:
        matcher(query)
    assert thread_searches([], "ormelune") == []


_WORDS = st.sampled_from(
    ["pull", "rouge", "livr*", "#promo", '"pull rouge"', '"pull marin"~2', "lang:fr", "author:lea", "note:2"]
)
_QUERIES = st.recursive(
    _WORDS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} OU {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} SAUF {pair[1]})"),
    ),
    max_leaves=6,
)
_TEXTS = st.lists(st.sampled_from(["pull", "rouge", "marin", "livraison", "#promo", "bleu"]), min_size=1, max_size=5)


@settings(max_examples=300, deadline=None)
@given(_QUERIES, st.lists(_TEXTS, min_size=1, max_size=6), st.sampled_from(["fr", "en"]))
def test_no_query_is_narrower_than_what_was_meant(query: str, texts: list[list[str]], lang: str) -> None:
    try:
        wanted = parse(query)
    except InputError:
        return
    found = searches(Watch(query=query), "ormelune")
    world = World()
    lea = world.user("lea", name="Lea")
    tests = [matcher(one) for one in found.queries]
    for words in texts:
        post = world.say(lea, " ".join(words), NOW, lang=lang)
        whole = world.whole(post, "2.157")
        user = world.user_shown(lea, "2.157")
        mention = map_answer({"data": whole, "includes": {"users": [user]}}).mentions[0]
        meant = wanted.matches(said(mention))
        hit = any(test(world.searchable(post)) for test in tests)
        if not found.problem:
            assert hit or not meant
            assert meant or not hit or not found.exact
