"""Files: every row is a mention or a listed reject, and a second reading changes nothing."""

import codecs
import csv
import gzip
import json
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import build
from collectors.files import connect
from collectors.tables import delimited, streams
from collectors.tables.dates import DateReader
from collectors.values import count, language, network_key, rating, web_url
from domain.contracts import Cursor, Page, Reject, Watch
from domain.errors import ConfigurationError, InputError
from domain.mention import TEXT_LIMIT, Author, Engagement, Mention, MentionKind

IMPORTED = "2026-03-10T10:00:00+00:00"
PARIS = ZoneInfo("Europe/Paris")


def pages(path: Path, since: Cursor | None = None, **settings: str) -> list[Page]:
    collector = connect({"path": str(path), "imported_at": IMPORTED, **settings})
    return list(collector.fetch(Watch(), since))


def mentions(path: Path, **settings: str) -> list[Mention]:
    return [mention for page in pages(path, **settings) for mention in page.mentions]


def rejects(path: Path, **settings: str) -> list[Reject]:
    return [reject for page in pages(path, **settings) for reject in page.rejects]


def notes(path: Path, **settings: str) -> str:
    return "\n".join(note for page in pages(path, **settings) for note in page.notes)


def jsonl(path: Path, rows: Iterable[Mapping[str, Any] | str]) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def text(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


def workbook(path: Path, *sheets: tuple[str, list[list[Any]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


# -- what a row becomes ----------------------------------------------------------------------------------------------------


def test_a_french_export_of_reviews(tmp_path: Path) -> None:
    file = text(
        tmp_path / "avis.csv",
        "Identifiant;Date de publication;Pseudo;Titre;Commentaire;Note;Magasin;Produit;N° de commande;Langue;Lien;Réseau\n"
        "a1;24/02/2026 11:35;zoe_l;Déçue;Colis abîmé à l’arrivée… 😡;2/5;Lille;Dune;OR-1042;Français;https://a.example/1;"
        "Avis Google\n",
    )
    [mention] = mentions(file)
    assert mention == Mention(
        network="google",
        native_id="a1",
        text="Colis abîmé à l’arrivée… 😡",
        created_at=datetime(2026, 2, 24, 10, 35, tzinfo=UTC),
        kind=MentionKind.REVIEW,
        author=Author("zoe_l", "zoe_l"),
        conversation_id="a1",
        title="Déçue",
        url="https://a.example/1",
        lang_hint="fr",
        rating=2,
        store="Lille",
        product="Dune",
        order_ref="OR-1042",
    )
    assert mention.raw["N° de commande"] == "OR-1042"


def test_an_english_export_of_posts(tmp_path: Path) -> None:
    row = {
        "id": 570306133677760513,
        "created_at": "Tue Feb 24 11:35:52 +0000 2015",
        "full_text": "@ormelune where is my parcel?",
        "text": "@ormelune where is…",
        "user": {"id": 12, "screen_name": "cairdin", "name": "Cai", "followers_count": 1500},
        "in_reply_to_status_id": 570301130888122368,
        "retweet_count": 3,
        "favorite_count": "1,204",
        "lang": "en",
        "negativereason": None,
    }
    file = jsonl(tmp_path / "posts.jsonl", [row])
    [mention] = mentions(file, network="x")
    assert mention == Mention(
        network="x",
        native_id="570306133677760513",
        text="@ormelune where is my parcel?",
        created_at=datetime(2015, 2, 24, 11, 35, 52, tzinfo=UTC),
        kind=MentionKind.COMMENT,
        author=Author("12", "cairdin", "Cai", follower_count=1500),
        conversation_id="570301130888122368",
        parent_id="570301130888122368",
        lang_hint="en",
        engagement=Engagement(like_count=1204, share_count=3),
    )
    assert mention.raw == row
    assert "not used, kept with each mention: text, negativereason." in notes(file)


def test_a_mapping_goes_before_usual_names(tmp_path: Path) -> None:
    file = text(tmp_path / "f.csv", "message,Ce que dit le client,quand\nsujet,vraiment déçu,05/03/2026\n")
    [mention] = mentions(file, mapping="text=Ce que dit le client, created_at=quand")
    assert mention.text == "vraiment déçu"
    assert mention.created_at == datetime(2026, 3, 5, 11, tzinfo=UTC)
    commas = text(tmp_path / "g.csv", '"Avis, ou texte";quand\nbien;05/03/2026\n')
    assert mentions(commas, mapping="text=Avis, ou texte,created_at=quand")[0].text == "bien"
    with pytest.raises(InputError, match=r"no column “Texte”.*Columns found: message, Ce que dit le client, quand"):
        pages(file, mapping="text=Texte")


def test_a_lesser_column_is_no_replacement_for_an_empty_one(tmp_path: Path) -> None:
    file = text(tmp_path / "f.csv", "message,commentaires\nbonjour,3\n,12\n")
    assert [mention.text for mention in mentions(file)] == ["bonjour"]
    assert [reject.reason for reject in rejects(file)] == ["the text is empty"]


def test_source_is_a_channel_only_where_it_names_one(tmp_path: Path) -> None:
    rows = [{"text": "a", "source": "Twitter"}, {"text": "b", "source": "free_tweets_2020"}]
    assert [found.network for found in mentions(jsonl(tmp_path / "f.jsonl", rows))] == ["x", "file"]


def test_a_column_without_a_name_means_nothing(tmp_path: Path) -> None:
    [found] = mentions(jsonl(tmp_path / "f.jsonl", [{"": "7", "text": "a"}]))
    assert (found.parent_id, found.author, found.native_id[0]) == (None, None, "h")


def test_replies_of_the_brand_are_told_by_the_file(tmp_path: Path) -> None:
    rows = [{"text": "a", "inbound": True}, {"text": "b", "inbound": False}, {"text": "c", "outbound": "oui"}]
    assert [found.outbound for found in mentions(jsonl(tmp_path / "f.jsonl", rows))] == [False, True, True]


def test_authors_known_by_name_only_are_told_of_and_anonymous_ones_are_nobody(tmp_path: Path) -> None:
    file = text(tmp_path / "f.csv", "avis,auteur\nbien,Léa\npas mal,Anonyme\nbof,@tom\n")
    assert [found.author for found in mentions(file)] == [
        Author("Léa", name="Léa"),
        None,
        Author("tom", handle="tom"),
    ]
    assert "1 row with an author known by name only" in notes(file)


def test_links_of_other_schemes_are_left_out(tmp_path: Path) -> None:
    rows = [{"text": "a", "url": "javascript:alert(1)"}, {"text": "b", "url": "https://x.example/1"}]
    assert [found.url for found in mentions(jsonl(tmp_path / "f.jsonl", rows))] == ["", "https://x.example/1"]


# -- ids -------------------------------------------------------------------------------------------------------------------


def test_identical_rows_stay_two_and_reading_again_makes_the_same_ids(tmp_path: Path) -> None:
    rows = [{"text": "bien"}, {"text": "bien"}, {"text": "bof"}, {"text": "bien"}]
    file = jsonl(tmp_path / "f.jsonl", rows)
    first = [found.native_id for found in mentions(file, page_size="2")]
    assert len(set(first)) == 4
    later = [found.native_id for found in mentions(file, imported_at="2030-01-01T00:00:00Z", timezone="Asia/Tokyo")]
    assert later == first
    assert [number.removeprefix(first[0]) for number in (first[0], first[1], first[3])] == ["", "-2", "-3"]


def test_made_ids_differ_where_author_date_or_channel_do(tmp_path: Path) -> None:
    rows = [
        {"text": "bien", "author": "a", "date": "2026-03-01"},
        {"text": "bien", "author": "b", "date": "2026-03-01"},
        {"text": "bien", "author": "a", "date": "2026-03-02"},
        {"text": "bien", "author": "a", "date": "2026-03-01", "network": "google"},
    ]
    found = mentions(jsonl(tmp_path / "f.jsonl", rows))
    assert len({mention.native_id for mention in found}) == 4


@pytest.mark.parametrize("written", ["5.70306E+17", "5,70306133677761E+17"])
def test_ids_that_a_spreadsheet_rounded_are_not_used(tmp_path: Path, written: str) -> None:
    file = text(tmp_path / "f.csv", f"tweet_id;text\n{written};un\n{written};deux\n")
    assert len({found.native_id for found in mentions(file)}) == 2
    assert "2 ids not used: rounded by a spreadsheet" in notes(file)


def test_very_long_ids_are_replaced_by_their_hash(tmp_path: Path) -> None:
    rows = [{"id": "a" * 5000 + str(number), "text": "x"} for number in range(2)]
    ids = {found.native_id for found in mentions(jsonl(tmp_path / "f.jsonl", rows))}
    assert len(ids) == 2 and max(map(len, ids)) < 256


# -- dates -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-05T10:00:00Z", (3, 5, 10, 0)),
        ("2026-03-05T10:00:00.123456789+0200", (3, 5, 8, 0)),
        ("2026-03-05 10:00:00 UTC", (3, 5, 10, 0)),
        ("2026-03-05 10:00:00 -0800", (3, 5, 18, 0)),
        ("2026-03-05 10:00", (3, 5, 9, 0)),
        ("2026-07-05 10:00", (7, 5, 8, 0)),
        ("2026-3-5", (3, 5, 11, 0)),
        ("2026-03-05", (3, 5, 11, 0)),
        ("2026-07-05", (7, 5, 10, 0)),
        ("2026/03/05 10:00", (3, 5, 9, 0)),
        ("20260305", (3, 5, 11, 0)),
        ("Thu, 05 Mar 2026 10:00:00 GMT", (3, 5, 10, 0)),
        ("Thu, 05 Mar 2026 10:00:00 +0100 (CET)", (3, 5, 9, 0)),
        ("Thu Mar 05 10:00:00 +0000 2026", (3, 5, 10, 0)),
        ("05/03/2026", (3, 5, 11, 0)),
        ("05/03/2026 10:00:30", (3, 5, 9, 0)),
        ("05.03.26 à 10h00", (3, 5, 9, 0)),
        ("05/03/2026 - 10:00", (3, 5, 9, 0)),
        ("03/25/2026 1:05 PM", (3, 25, 12, 5)),
        ("5 mars 2026 à 10h", (3, 5, 9, 0)),
        ("jeudi 5 mars 2026", (3, 5, 11, 0)),
        ("1er août 2026", (8, 1, 10, 0)),
        ("5 févr. 2026, 10:00", (2, 5, 9, 0)),
        ("March 5, 2026 10:00 AM", (3, 5, 9, 0)),
        (1772704800, (3, 5, 10, 0)),
        ("1772704800000", (3, 5, 10, 0)),
        (46086, (3, 5, 11, 0)),
        (46086.4375, (3, 5, 9, 30)),
    ],
)
def test_dates_are_read_as_exports_write_them(written: object, moment: tuple[int, int, int, int]) -> None:
    found = DateReader(PARIS, day_first=True).read(written).at
    assert found.replace(second=0, microsecond=0) == datetime(2026, *moment, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "hier",
        "2 days ago",
        "0001-01-01",
        "2026-13-01",
        "31/02/2026",
        "25:00",
        "13/13/2026",
        True,
        12,
        1e30,
        float("nan"),
        "05/03/2026" + " " * 50_000 + "x",
        "2026-03-05T25:00:00",
        "5 brumaire 2026",
        "9999999999999999999999",
    ],
)
def test_what_is_no_date_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is no date"):
        DateReader(PARIS, day_first=True).read(written)


@settings(deadline=None)
@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)), st.timezones())
def test_any_iso_date_with_a_zone_is_the_same_moment(moment: datetime, zone: ZoneInfo) -> None:
    aware = moment.replace(tzinfo=zone)
    found = DateReader(PARIS, day_first=True).read(aware.isoformat())
    assert (found.at, found.no_zone) == (aware.astimezone(UTC), False) or aware.utcoffset().total_seconds() % 60  # type: ignore[union-attr]


def test_dates_without_a_zone_are_read_in_the_setting_and_counted(tmp_path: Path) -> None:
    rows = [{"text": str(number), "date": f"2026-03-05 10:{number % 60:02}"} for number in range(1204)]
    file = jsonl(tmp_path / "f.jsonl", rows)
    assert mentions(file)[0].created_at == datetime(2026, 3, 5, 9, tzinfo=UTC)
    assert mentions(file, timezone="America/Montreal")[0].created_at == datetime(2026, 3, 5, 15, tzinfo=UTC)
    assert notes(file).count("1,204 dates had no time zone: read as Europe/Paris.") == 1


@pytest.mark.parametrize(
    ("proof", "settings", "month"),
    [
        ("24/12/2026", {}, 4),
        ("12/24/2026", {}, 3),
        ("2/3/2026", {}, 4),
        ("1/1/2026 5:00 PM", {}, 3),
        ("24/12/2026", {"date_order": "mdy"}, 3),
        ("12/24/2026", {"date_order": "dmy"}, 4),
    ],
)
def test_the_file_itself_says_whether_the_day_comes_first(
    tmp_path: Path, proof: str, settings: dict[str, str], month: int
) -> None:
    file = jsonl(tmp_path / "f.jsonl", [{"text": "a", "date": "03/04/2026"}, {"text": "b", "date": proof}])
    assert mentions(file, **settings)[0].created_at.month == month
    assert f"read {'day' if month == 4 else 'month'} first" in notes(file, **settings)


def test_rows_without_a_date_get_the_moment_of_the_import(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "f.jsonl", [{"text": "a"}, {"text": "b", "date": "NaN"}, {"text": "c", "date": None}])
    assert {found.created_at for found in mentions(file)} == {datetime(2026, 3, 10, 10, tzinfo=UTC)}
    assert "3 rows had no date: dated 2026-03-10 10:00 UTC." in notes(file)


def test_a_column_of_hours_completes_the_date(tmp_path: Path) -> None:
    file = text(tmp_path / "f.csv", "Date;Heure;Avis\n05/03/2026;18h30;bien\n")
    assert mentions(file)[0].created_at == datetime(2026, 3, 5, 17, 30, tzinfo=UTC)


# -- rejects: the good ones go on ------------------------------------------------------------------------------------------


def test_bad_lines_are_listed_and_the_good_ones_go_on(tmp_path: Path) -> None:
    lines = [
        '{"text": "un"}',
        "{broken",
        "",
        '["a list"]',
        '{"text": ""}',
        '{"text": "   "}',
        '{"text": null}',
        '{"text": ["x"]}',
        '{"text": "a", "date": "hier"}',
        json.dumps({"text": "x" * (TEXT_LIMIT + 1)}),
        '{"text": "nul \\u0000"}',
        '{"text": "half \\ud83d"}',
        '{"a": ' * 60 + "1" + "}" * 60,
        "[" * 100_000,
        '{"text": ' + "9" * 5000 + "}",
        '{"titre": "rien"}',
        '{"text": "un escaped \\\\u0000 and \\ud83d\\ude00"}',
        '{"text": "deux", "note": NaN}',
    ]
    file = jsonl(tmp_path / "f.jsonl", lines)
    [page] = pages(file)
    assert [found.text for found in page.mentions] == ["un", "un escaped \\u0000 and 😀", "deux"]
    expected = {
        2: "malformed JSON",
        4: "not a JSON object but a list",
        5: "empty",
        6: "empty",
        7: "empty",
        8: "holds no text but",
        9: "bad date: “hier”",
        10: "at most 100,000",
        11: "NUL",
        12: "half of a character",
        13: "nested too deeply",
        14: "nested too deeply",
        15: "thousands of digits",
        16: "none of its columns is known to hold the text: titre",
    }
    assert [reject.position for reject in page.rejects] == [f"line {number}" for number in expected]
    for reject, reason in zip(page.rejects, expected.values(), strict=True):
        assert reason in reject.reason, reject
        assert 0 < len(reject.raw) <= 2000


def test_rows_of_a_csv_that_do_not_fit_are_listed(tmp_path: Path) -> None:
    file = text(
        tmp_path / "f.csv",
        "text,date\n"
        "un,2026-03-05\n"
        "deux,2026-03-05,trop\n"
        "court\n"
        '"jamais fermé,2026-03-05\n'
        "trois,2026-03-05\n"
        '"sur\ndeux lignes, avec virgule",2026-03-05\n'
        '"Bravo" dit-il,2026-03-05\n'
        "nul \x00,2026-03-05\n"
        ",\n"
        "dernier,2026-03-05,,\n",
    )
    [page] = pages(file)
    assert "\x00" not in "".join(reject.raw for reject in page.rejects)
    assert [found.text for found in page.mentions] == [
        "un",
        "trois",
        "sur\ndeux lignes, avec virgule",
        '"Bravo" dit-il',
        "dernier",
    ]
    assert [(reject.position, reject.reason) for reject in page.rejects] == [
        ("line 3", "3 columns where the header has 2"),
        ("line 4", "1 columns where the header has 2"),
        ("line 5", "a quote is opened and not closed where its cell ends"),
        ("line 10", "holds a NUL character, which no text has"),
    ]


def test_an_unclosed_quote_costs_its_own_line_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "RECORD_LINES", 50)
    rows = [f"ligne {number},{number}" for number in range(500)]
    rows[100] = '"ouvert,100'
    file = text(tmp_path / "f.csv", "text,id\n" + "\n".join(rows) + "\n")
    assert len(mentions(file, page_size="7")) == 499
    assert [reject.position for reject in rejects(file, page_size="7")] == ["line 102"]


def test_quotes_that_never_close_do_not_take_time_without_end(tmp_path: Path) -> None:
    file = text(tmp_path / "f.csv", "text,id\n" + "bien,1\n" * 1000 + 'x","y\n' * 60_000)
    found = pages(file)
    assert sum(len(page.mentions) + len(page.rejects) for page in found) == 61_000


def test_a_text_over_the_limit_is_a_reject_in_every_format(tmp_path: Path) -> None:
    long = "é" * 1_000_000
    many_lines = "ligne\n" * 30_000
    csv_file = text(tmp_path / "f.csv", f'text\n"{long}"\n"{many_lines}"\nbien\n')
    json_file = jsonl(
        tmp_path / "f.jsonl", [{"text": long}, {"text": "x" * (streams.LINE_LIMIT + 10)}, {"text": "bien"}]
    )
    assert [found.text for found in mentions(csv_file)] == ["bien"]
    assert "at most 100,000" in rejects(csv_file)[0].reason
    assert [found.text for found in mentions(json_file)] == ["bien"]
    assert [reject.reason for reject in rejects(json_file)][1] == "the line is longer than 4 MB"


def test_bytes_that_cannot_be_read_cost_their_row_only(tmp_path: Path) -> None:
    file = tmp_path / "f.jsonl"
    good = '{"text": "déçu"}\n'.encode()
    file.write_bytes(good * 3 + b'{"text": "d\xe9\xe7u"}\n' + good)
    assert [found.text for found in mentions(file)] == ["déçu"] * 4
    assert [(reject.position, reject.reason) for reject in rejects(file)] == [
        ("line 4", "byte 0xe9 cannot be read as utf-8")
    ]


# -- encodings and separators ----------------------------------------------------------------------------------------------

FRENCH = "Date;Auteur;Commentaire\n12/03/2026;Zoé;Très déçue, le colis est arrivé abîmé à Noël\n13/03/2026;André;Reçu, ça va\n"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("cp1252", b""),
        ("mac-roman", b""),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, mark: bytes, ending: str) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes(mark + FRENCH.replace("\n", ending).encode(encoding))
    found = mentions(file)
    assert [mention.text for mention in found] == ["Très déçue, le colis est arrivé abîmé à Noël", "Reçu, ça va"]
    assert [mention.author and mention.author.name for mention in found] == ["Zoé", "André"]
    told = "not UTF-8" in notes(file)
    assert told == (not encoding.startswith("utf"))


def test_windows_1252_is_told_by_name_and_an_encoding_can_be_given(tmp_path: Path) -> None:
    file = text(tmp_path / "f.csv", FRENCH, "cp1252")
    assert "not UTF-8: read as Windows-1252" in notes(file)
    greek = text(tmp_path / "g.csv", "text\nκαλό\n", "iso8859-7")
    assert mentions(greek, encoding="iso8859-7")[0].text == "καλό"


def test_a_broken_utf16_character_costs_its_row_only(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    body = "text\nun\nXX\ntrois\n".encode("utf-16-le").replace("XX".encode("utf-16-le"), b"\x00\xd8x\x00")
    file.write_bytes(codecs.BOM_UTF16_LE + body + b"\x01")
    assert [found.text for found in mentions(file)] == ["un", "trois"]
    assert [reject.position for reject in rejects(file)] == ["line 3", "line 5"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_found_out(tmp_path: Path, separator: str) -> None:
    rows = [["id", "Avis", "Ville, pays"], ["1", "bien; mais | cher, \t non ?", "Lille"], ["2", "bof", "Lyon"]]
    file = tmp_path / "f.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter=separator).writerows(rows)
    assert [(found.native_id, found.text) for found in mentions(file)] == [
        ("1", "bien; mais | cher, \t non ?"),
        ("2", "bof"),
    ]


def test_one_column_needs_no_separator(tmp_path: Path) -> None:
    file = text(tmp_path / "f.csv", "Commentaire\nbien, très bien; oui\nbof\n")
    assert [found.text for found in mentions(file)] == ["bien, très bien; oui", "bof"]


def test_excels_separator_line_is_no_row(tmp_path: Path) -> None:
    file = text(tmp_path / "f.csv", "sep=;\nAvis;Note\nbien, oui;4\n")
    assert [(found.text, found.rating) for found in mentions(file)] == [("bien, oui", 4)]


# -- workbooks -------------------------------------------------------------------------------------------------------------


def test_a_workbook_with_titles_dates_and_a_second_sheet(tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "f.xlsx",
        ("Infos", [["Export du 5 mars"], ["par Awa"]]),
        (
            "Avis",
            [
                ["Avis de la boutique"],
                [],
                ["Date", "Commentaire", "Note", "Auteur"],
                [datetime(2026, 3, 5, 18, 30), "déçu_x000D_\nvraiment", 2, "Zoé", "", "remarque à côté"],
                [datetime(2026, 3, 5), "bien", 4.5, None],
                [None, None, None, None],
                ["05/03/2026", 12, "oui", time(10, 0)],
                [datetime(2026, 3, 5), "", 5, "Tom"],
            ],
        ),
    )
    [page] = pages(file)
    assert [(found.text, found.rating) for found in page.mentions] == [("déçu\nvraiment", 2), ("bien", 5), ("12", None)]
    assert [found.created_at.hour for found in page.mentions] == [17, 11, 11]
    assert [(reject.position, reject.reason) for reject in page.rejects] == [("sheet Avis, row 8", "the text is empty")]
    assert "Sheets without a column of texts were not read: Infos." in page.notes
    json.dumps([found.raw for found in page.mentions])


def test_long_numbers_of_a_workbook_are_no_ids(tmp_path: Path) -> None:
    rows = [["tweet_id", "text"], [570306133677760513, "un"], [570306133677760514, "deux"], [12, "trois"]]
    found = mentions(workbook(tmp_path / "f.xlsx", ("A", rows)))
    assert len({mention.native_id for mention in found}) == 3
    assert found[2].native_id == "12"


def test_what_is_no_workbook_or_a_bomb_is_refused(tmp_path: Path) -> None:
    text(tmp_path / "not.xlsx", "text\nbien\n")
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as archive:
        archive.writestr("readme.txt", "hello")
    good = workbook(tmp_path / "good.xlsx", ("A", [["text"], ["bien"]]))
    bomb, entity, torn = tmp_path / "bomb.xlsx", tmp_path / "entity.xlsx", tmp_path / "torn.xlsx"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.namelist():
            target.writestr(part, source.read(part))
        target.writestr("xl/sharedStrings.xml", b"<sst>" + b" " * 80_000_000)
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(entity, "w") as target:
        for part in source.namelist():
            start = b'<!DOCTYPE a [<!ENTITY b "c">]>' if part.endswith("sheet1.xml") else b""
            target.writestr(part, start + source.read(part))
    torn.write_bytes(good.read_bytes()[:-200])
    for name in ("not", "other", "bomb", "entity", "torn"):
        with pytest.raises(InputError, match="CSV"):
            pages(tmp_path / f"{name}.xlsx")


def test_old_and_protected_workbooks_are_named(tmp_path: Path) -> None:
    file = tmp_path / "f.xls"
    file.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    with pytest.raises(InputError, match=r"Save it as \.xlsx"):
        pages(file)


# -- files that cannot be used ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n \n\t\n", "is empty"),
        ("marked.csv", codecs.BOM_UTF8, "empty|names no column"),
        ("image.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary data"),
        ("nul.jsonl", b'{"text": "a"}\n\0\0\0', "binary data"),
        ("utf32.csv", "text\nbien\n".encode("utf-32"), "binary data"),
        ("list.json", b'[{"text": "a"}]', "one object a line"),
        ("pretty.json", b'{\n  "text": "a"\n}', "one object a line"),
        ("other.csv", b"nom,prix\nDune,12\n", "Columns found: nom, prix"),
        ("other.jsonl", b'{"nom": "Dune", "prix": 12}\n', "Columns found: nom, prix"),
        ("headless.csv", b"bien,5\nbof,2\n", "--map text="),
        ("lie.csv.gz", b"\x1f\x8b not really", "damaged"),
    ],
)
def test_files_that_cannot_be_used_say_what_to_do(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(InputError, match=words):
        pages(file)
    with pytest.raises(ConfigurationError, match=words):
        connect({"path": str(file)}).check()


def test_folders_and_missing_files_say_what_to_do(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "none.csv", "There is no file"),
        (Path("/dev/zero"), "plain"),
    ):
        with pytest.raises(InputError, match=words):
            pages(path)
        with pytest.raises(ConfigurationError, match=words):
            connect({"path": str(path)}).check()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"path": ""}, "path is missing"),
        ({"mapping": "text"}, "cannot be read"),
        ({"mapping": "texte=Avis"}, "no field “texte”"),
        ({"timezone": "Mars/Olympus"}, "no time zone"),
        ({"page_size": "0"}, "page_size"),
        ({"page_size": "many"}, "page_size"),
        ({"imported_at": "yesterday"}, "imported_at"),
        ({"imported_at": "2026-03-10"}, "without a time zone"),
        ({"date_order": "ymd"}, "date_order"),
        ({"encoding": "klingon"}, "no encoding"),
        ({"encoding": "zlib"}, "no encoding"),
    ],
)
def test_settings_that_cannot_be_used_are_named(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        build("files", {"path": "f.csv", **settings})


def test_a_file_of_a_header_alone_is_read_without_complaint(tmp_path: Path) -> None:
    [page] = pages(text(tmp_path / "f.csv", "text,date\n"))
    assert (page.mentions, page.rejects) == ((), ()) and page.cursor


# -- going on where the last run stopped -----------------------------------------------------------------------------------


def contents(tmp_path: Path) -> dict[str, Path]:
    """The same 23 rows, two of them bad, several of them twice, in every format."""
    texts = [f"avis n° {number % 7}" for number in range(23)]
    rows = [{"texte": said, "date": f"2026-03-{1 + number % 3:02}"} for number, said in enumerate(texts)]
    rows[5]["texte"] = ""
    rows[11]["date"] = "hier"
    table = [["texte", "date"], *([row["texte"], row["date"]] for row in rows)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    cells = "\n".join(f'"{said}\n";{day}' if said else f";{day}" for said, day in table[1:])
    csv_text = f"texte;date\n{cells}\n"
    return {
        "jsonl": text(tmp_path / "f.jsonl", lines),
        "jsonl.gz": _written(tmp_path / "f.jsonl.gz", gzip.compress(lines.encode())),
        "csv": text(tmp_path / "f.csv", csv_text),
        "csv.gz": _written(tmp_path / "f.csv.gz", gzip.compress(csv_text.encode())),
        "utf-16": _written(tmp_path / "w.csv", codecs.BOM_UTF16_LE + csv_text.encode("utf-16-le")),
        "xlsx": workbook(tmp_path / "f.xlsx", ("Un", table[:12]), ("Deux", [table[0], *table[12:]])),
    }


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "csv", "csv.gz", "utf-16", "xlsx"])
@pytest.mark.parametrize("size", ["1", "4", "23", "500"])
def test_a_run_goes_on_after_any_page_as_if_nothing_had_happened(tmp_path: Path, kind: str, size: str) -> None:
    file = contents(tmp_path)[kind]
    whole = pages(file, page_size=size)
    assert sum(len(page.mentions) for page in whole) == 21
    assert sum(len(page.rejects) for page in whole) == 2
    assert len({found.id for page in whole for found in page.mentions}) == 21
    for number, page in enumerate(whole, start=1):
        assert pages(file, page.cursor, page_size=size) == whole[number:]


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "csv", "csv.gz", "utf-16"])
def test_rows_appended_later_are_read_on(tmp_path: Path, kind: str) -> None:
    file = contents(tmp_path)[kind]
    before = pages(file)
    more = json.dumps({"texte": "avis n° 0", "date": "2026-03-01"}) if "jsonl" in kind else '"avis n° 0\n";2026-03-01'
    added = {"utf-16": f"{more}\n".encode("utf-16-le")}.get(kind, f"{more}\n".encode())
    with file.open("ab") as out:
        out.write(gzip.compress(added) if kind.endswith("gz") else added)
    [page] = pages(file, before[-1].cursor)
    [mention] = page.mentions
    assert mention.native_id == pages(file)[-1].mentions[-1].native_id
    assert mention.native_id not in {found.native_id for found in before[0].mentions}
    assert page.rejects == ()
    assert pages(file, page.cursor) == []


@pytest.mark.parametrize("kind", ["jsonl", "csv", "xlsx"])
def test_a_file_that_was_replaced_is_read_from_its_start(tmp_path: Path, kind: str) -> None:
    file = contents(tmp_path)[kind]
    cursor = pages(file, page_size="4")[2].cursor
    if kind == "xlsx":
        workbook(file, ("Un", [["texte"], *[["tout autre"]] * 30]))
    else:
        file.write_bytes(
            file.read_bytes()
            .replace("avis n° 1".encode(), "avis n° 9".encode())
            .replace(b"avis n\\u00b0 1", b"avis n\\u00b0 9")
        )
    again = pages(file, cursor)
    assert [page.mentions for page in again] == [page.mentions for page in pages(file)]
    assert "no longer the one that was read before" in again[0].notes[0]


def test_a_file_that_shrank_or_a_cursor_of_another_make_start_again(tmp_path: Path) -> None:
    file = contents(tmp_path)["jsonl"]
    cursor = pages(file)[-1].cursor
    jsonl(file, [{"texte": "seul"}])
    assert [found.text for page in pages(file, cursor) for found in page.mentions] == ["seul"]
    for odd in ("", "garbage", "[]", '{"at": "x"}', '{"item": 3}'):
        assert [found.text for page in pages(file, Cursor(odd)) for found in page.mentions] == ["seul"]


def test_counts_go_on_after_an_interruption_and_are_told_once(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "f.jsonl", [{"text": str(number), "date": "2026-03-05 10:00"} for number in range(10)])
    first = pages(file, page_size="4")[0]
    told = [note for page in (first, *pages(file, first.cursor, page_size="4")) for note in page.notes]
    assert [note for note in told if "time zone" in note] == ["10 dates had no time zone: read as Europe/Paris."]


def test_columns_without_a_meaning_are_told_once_also_late_ones(tmp_path: Path) -> None:
    rows = [{"text": str(number), "label": 1} for number in range(2000)] + [{"text": "z", "split": 2}]
    told = notes(jsonl(tmp_path / "f.jsonl", rows))
    assert told.count("label") == 1 and told.count("split") == 1


def test_what_came_before_the_damage_is_kept(tmp_path: Path) -> None:
    rows = "".join(json.dumps({"text": f"avis {number} {number * 7919 % 1_000_003}"}) + "\n" for number in range(3000))
    packed = gzip.compress(rows.encode())
    file = _written(tmp_path / "f.jsonl.gz", packed[: len(packed) // 2])
    got: list[Page] = []
    with pytest.raises(InputError, match="damaged or was cut off"):
        for page in connect({"path": str(file), "imported_at": IMPORTED}).fetch(Watch(), None):
            got.append(page)
    count = sum(len(page.mentions) for page in got)
    assert 1000 < count < 2000
    file.write_bytes(packed)
    rest = pages(file, got[-1].cursor)
    assert count + sum(len(page.mentions) for page in rest) == 3000


# -- size ------------------------------------------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        file = tmp_path / f"{rows}.jsonl"
        with file.open("w") as out:
            for number in range(rows):
                out.write(json.dumps({"id": number, "text": f"avis {number} " + "mot " * 60}) + "\n")
        collector = connect({"path": str(file), "imported_at": IMPORTED})
        tracemalloc.start()
        try:
            assert sum(len(page.mentions) for page in collector.fetch(Watch(), None)) == rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(9_000) < 1.2 * peak(3_000)


def test_pages_end_early_where_rows_are_large(tmp_path: Path) -> None:
    rows = [{"id": number, "text": "x", "attachment": "y" * 3_000_000} for number in range(9)]
    assert [len(page.mentions) for page in pages(jsonl(tmp_path / "f.jsonl", rows))] == [3, 3, 3]


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "f.jsonl.gz"
    with gzip.open(file, "wb") as out:
        out.write(b'{"text": "a"}\n')
        for _ in range(100):
            out.write(b" " * 1_000_000)
    with pytest.raises(InputError, match="200 times its size"):
        pages(file)


# -- single values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "stars"),
    [
        (4, 4),
        ("4", 4),
        ("4,5", 5),
        ("3.4", 3),
        ("4/5", 4),
        ("8/10", 4),
        ("4 sur 5", 4),
        ("★★★★☆", 4),
        ("⭐⭐", 2),
        ("5 étoiles", 5),
        ("0", None),
        ("6", None),
        ("-1", None),
        ("bien", None),
        ("", None),
        ("4/0", None),
        ("nan", None),
    ],
)
def test_ratings(written: object, stars: int | None) -> None:
    assert rating(written) == stars


def test_other_values() -> None:
    assert [count(said) for said in (3, "1 204", "1,204", "12.0", "1.5", "beaucoup", "-1")] == [3, 1204, 1204, 12] + [
        None
    ] * 3
    assert [language(said) for said in ("fr", "fr-FR", "EN_us", "Français", "xx1", "")] == [
        "fr",
        "fr",
        "en",
        "fr",
        None,
        None,
    ]
    assert [network_key(said) for said in ("Twitter", "Avis Vérifiés", "Le Forum : été", "…")] == [
        "x",
        "avis_verifies",
        "le_forum_ete",
        "",
    ]
    assert [web_url(said) for said in ("https://a.b/c", "javascript:x", "//a.b", "http://[", "mailto:a@b")] == [
        "https://a.b/c",
        "",
        "",
        "",
        "",
    ]


@settings(deadline=None)
@given(
    st.lists(
        st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=30), min_size=1, max_size=12
    )
)
def test_any_text_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("any")
    json_file = jsonl(folder / "f.jsonl", [{"text": said} for said in ["début", *texts]])
    csv_file = folder / "f.csv"
    with csv_file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([["text", "n"], ["début", "0"], *[[said, "1"] for said in texts]])
    said = ["début", *[one for one in texts if one and not one.isspace()]]
    for file in (json_file, csv_file):
        assert Counter(found.text for found in mentions(file)) == Counter(said)
        assert len(rejects(file)) == len(texts) + 1 - len(said)
