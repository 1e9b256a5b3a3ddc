"""The watch language: what it understands, what it refuses, and that no network's query finds less than was meant."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.contracts import Watch
from domain.errors import InputError
from domain.mention import Author, Mention, MentionKind
from domain.watch import Both, Either, Except, Narrow, Phrase, Word, parse, said, watch_matches
from domain.watch_query import Dialect, left_out, shown, write

SAID_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def heard(text, *, network="x", lang="fr", author="marie", kind=MentionKind.POST, rating=None, title=""):
    return Mention(
        network, "1", text, SAID_AT, kind, Author("42", handle=author), lang_hint=lang, rating=rating, title=title
    )


@pytest.mark.parametrize(
    ("query", "yes", "no"),
    [
        ("livraison", "La LIVRAISON tarde", "livraisons"),
        ("livr*", "livraisons", "delivré"),
        ("réduction", "une reduction", "reductions"),
        ('"bon de réduction"', "mon BON DE REDUCTION !", "réduction de bon"),
        ("colis perdu", "perdu, mon colis", "mon colis"),
        ("colis ET perdu", "colis perdu", "perdu"),
        ("colis OU paquet", "un paquet", "une boîte"),
        ("a b OU c", "c", "a"),
        ("a ET (b OU c)", "a c", "b c"),
        ("colis SAUF concours", "colis", "concours colis"),
        ("colis -concours", "colis", "colis concours"),
        ("colis NOT (jeu OR concours)", "colis", "colis jeu"),
        ('"colis perdu"~2', "perdu : tout mon colis", "colis a b c d perdu"),
        ("colis PROCHE/1 perdu", "colis encore perdu", "colis a b perdu"),
        ("colis NEAR/1 perdu", "perdu colis", "perdu a b colis"),
        ("ormelune lang:fr", "ormelune", ""),
        ("#promo", "vive la #Promo", "la promo"),
        ("promo", "la #promo", "la promotion"),
        ("@ormelune", "merci @Ormelune", "merci ormelune"),
        ("l'ormelune", "chez l’Ormelune", "chez l'autre"),
        ("peut-être", "Peut-être bien", "peut bien"),
        ("œuvre", "l'OEUVRE", "ouvre"),
        ("sauf", "sauf lundi", "lundi"),
    ],
)
def test_what_expressions_find(query, yes, no):
    assert parse(query).matches(said(heard(yes)))
    assert not parse(query).matches(said(heard(no)))


def test_conditions_on_what_surrounds_the_text():
    review = heard("bof", network="trustpilot", lang="en", author="Jo", kind=MentionKind.REVIEW, rating=2)
    for query in (
        "bof lang:en",
        "bof network:trustpilot",
        "bof author:@jo",
        "bof kind:review",
        "bof note:<=2",
        "bof -lang:fr",
    ):
        assert parse(query).matches(said(review)), query
    for query in ("bof lang:fr", "bof réseau:x", "bof auteur:marie", "bof type:post", "bof rating:>2", "bof -rating:2"):
        assert not parse(query).matches(said(review)), query


def test_a_title_is_heard_too():
    assert parse("ormelune").matches(said(heard("voilà", title="Ormelune ouvre à Lyon")))


def test_a_list_stands_for_any_of_its_entries():
    found = parse("list:rivals -ormelune", {"rivals": ["Belle Aube", "Pondichelle"]})
    assert found.matches(said(heard("chez belle aube")))
    assert not found.matches(said(heard("belle journée")))
    assert not found.matches(said(heard("pondichelle et ormelune")))


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ('"colis', "never closed"),
        ("(colis", "never closed"),
        ("colis)", "closes nothing"),
        ("colis OU", "ends too early"),
        ("OU colis", "missing before “OU”"),
        ("-concours", "only says what to leave out"),
        ("a OU -b", "only says what to leave out"),
        ("colis NEAR/3 (a b)", "between words or phrases"),
        ("lang:french colis", "two letters"),
        ("note:9 colis", "1 to 5"),
        ("kind:tweet colis", "no kind of message"),
        ("couleur:bleu", "no condition"),
        ("list:rivals", "no list “rivals”"),
        ('"…"', "no word"),
        ("(" * 60 + "a" + ")" * 60, "parentheses"),
        ("a" * 5000, "characters"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(query, says):
    with pytest.raises(InputError, match=says):
        parse(query)


def test_an_empty_watch_wants_everything_and_terms_are_alternatives():
    assert watch_matches(Watch(), heard("rien"))
    watch = Watch(terms=("bon de réduction",), accounts=("ormelune",), query="colis perdu")
    for text in ("un bon de reduction", "@Ormelune bonjour", "perdu le colis"):
        assert watch_matches(watch, heard(text)), text
    assert not watch_matches(watch, heard("bonjour"))


# -- in a network's words --------------------------------------------------------------------------------------------------


def _write(piece):
    if isinstance(piece, Word):
        return None if piece.prefix else piece.text
    if isinstance(piece, Phrase):
        joiner = " " if piece.distance is None else "+"
        return f'"{joiner.join(word.text for word in piece.words)}"' if not any(w.prefix for w in piece.words) else None
    return f"lang:{piece.value}" if piece.field == "lang" else None


DIALECT = Dialect(
    _write, max_length=60, exact=lambda piece: not (isinstance(piece, Phrase) and piece.distance is not None)
)
WORDS = [Word(text) for text in ("colis", "perdu", "ormelune", "promo")] + [Word("liv", prefix=True)]
leaves = st.one_of(
    st.sampled_from(WORDS),
    st.tuples(st.sampled_from(WORDS[:4]), st.sampled_from(WORDS[:4]), st.sampled_from([None, 3])).map(
        lambda t: Phrase(t[:2], t[2])
    ),
    st.sampled_from([Narrow("lang", "fr"), Narrow("network", "x")]),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: Both(tuple(parts))),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: Either(tuple(parts))),
        inner.map(Except),
    ),
    max_leaves=12,
)
texts = st.lists(st.sampled_from(["colis", "perdu", "ormelune", "promo", "livraison", "et"]), max_size=6).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(trees, texts, st.sampled_from(["fr", "en"]))
def test_an_expression_shown_and_read_again_means_the_same(tree, text, lang):
    both = Both((Word("encore"), tree))
    heard_now = said(heard(f"encore {text}", lang=lang))
    assert parse(shown(both)).matches(heard_now) == both.matches(heard_now)


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("colis perdu", ()),
        ("livr* lang:fr (perdu OU note:<=2)", ("livr*", "(perdu OR rating:<=2)")),
        ("livr* OU perdu", ("livr*",)),
        ("colis -promo", ()),
        ('colis -"pull marin"~4 -(promo author:@marie)', ('-"pull marin"~4', "-(promo author:marie)")),
    ],
)
def test_what_a_network_cannot_write_is_told_as_a_person_would_write_it(query, left):
    assert left_out(parse(query), DIALECT) == left


def test_what_a_network_writes_too_widely_is_told_where_asked_for():
    assert left_out(parse('colis "pull marin"~4'), DIALECT, wider=True) == ('"pull marin"~4',)
    narrow = Dialect(_write, max_length=60, group=None)
    assert left_out(parse('ormelune (colis OR "pull marin")'), narrow) == ('(colis OR "pull marin")',)


def _as_the_network_reads(query, mention):
    """A small reader of the toy dialect: what the network would find."""
    words = mention.text.split()

    def leaf(token):
        if token.startswith("lang:"):
            return mention.lang_hint == token[5:]
        if token.startswith('"') and "+" in token:
            return all(part in words for part in token.strip('"').split("+"))
        if token.startswith('"'):
            return f" {token.strip(chr(34))} " in f" {' '.join(words)} "
        return token in words

    import re

    tokens = re.findall(r'-?"[^"]*"|-?\(|\)|OR|[^\s()]+', query)
    at = 0

    def either():
        nonlocal at
        found = both()
        while at < len(tokens) and tokens[at] == "OR":
            at += 1
            found = both() or found
        return found

    def both():
        nonlocal at
        found = True
        while at < len(tokens) and tokens[at] not in {"OR", ")"}:
            token = tokens[at]
            at += 1
            negated, token = token.startswith("-"), token.removeprefix("-")
            if token == "(":
                value = either()
                at += 1
            else:
                value = leaf(token)
            found = found and value != negated
        return found

    return either()


@settings(max_examples=300, deadline=None)
@given(trees, texts, st.sampled_from(["fr", "en"]), st.sampled_from(["x", "mail"]))
def test_a_networks_query_never_finds_less_than_was_meant(tree, text, lang, network):
    mention = heard(text, lang=lang, network=network)
    written = write(tree, DIALECT)
    meant = tree.matches(said(mention))
    if written.queries:
        found = any(_as_the_network_reads(query, mention) for query in written.queries)
        assert found or not meant
        assert all(len(query) <= DIALECT.max_length for query in written.queries)
        if written.exact:
            assert found == meant


def test_a_long_or_becomes_several_queries():
    tree = Either(tuple(Word(f"produit{number}") for number in range(30)))
    written = write(tree, DIALECT)
    assert len(written.queries) > 3 and written.exact
    assert sorted(word for query in written.queries for word in query.split(" OR ")) == sorted(
        p.text for p in tree.parts
    )


def test_what_a_network_cannot_say_is_left_to_the_filter():
    assert write(parse("colis livr*"), DIALECT).queries == ("colis",)
    assert write(parse("colis OU livr*"), DIALECT).queries == ()
    assert write(parse("colis -livr*"), DIALECT) == write(parse("colis livr*"), DIALECT)
    assert write(parse('colis -"perdu promo"~3'), DIALECT).queries == ("colis",)
