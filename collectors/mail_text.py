"""What a person newly wrote in a mail: without the quoted history, without signature and small print. Pure.

`readable` makes text of HTML with quotations marked as plain mails mark them, so that one set of rules reads both; `new_words`
cuts. The rules know French, English, German, Spanish, Italian, Dutch and Portuguese mail programs; to teach them another
phrase, add it to its table here. Nothing is cut where nothing would be left.
"""

import re
from collections.abc import Iterable

from collectors.markup import text_of

_BLOCKQUOTE = re.compile(r"<(/?)blockquote\b[^<>]{0,2000}>", re.IGNORECASE)
_EMPTY_LINES = re.compile(r"\n{3,}")
_DEEPEST = 20  # levels of quotation that are told apart
_LINE_LIMIT = 400  # characters of a line that are looked at
_WROTE = (
    r"a écrit|wrote|schrieb|escribió|ha scritto|schreef|escreveu|écrit\s?:|skrev|(?:schrieb|schreef) .{1,100}:"
    r"|hat (?:.{1,80} )?geschrieben"
)
_ATTRIBUTION = re.compile(
    rf"\s*(?:Le|On|Am|El|Il giorno|Il|Op|Em|Den)\b.{{3,300}}(?:{_WROTE})\s*:?\s*$|.{{2,200}}<[^<>\s]+@[^<>\s]+>"
    rf"\s+(?:{_WROTE})\s*:?\s*$",
    re.IGNORECASE,
)
_OPENS_ATTRIBUTION = re.compile(r"\s*(?:Le|On|Am|El|Il|Op|Em|Den)\b.{3,300}\d", re.IGNORECASE)
_SEPARATOR = re.compile(
    r"\s*-{2,}\s*(?:message d['’]origine|message original|original message|ursprüngliche nachricht|mensaje original|"
    r"messaggio originale|oorspronkelijk bericht|mensagem original|message transféré|forwarded message|"
    r"weitergeleitete nachricht|mensaje reenviado)\s*-{2,}",
    re.IGNORECASE,
)
_REPLY_ABOVE = re.compile(
    r"\W*(?:répondez|répondre|merci de répondre|please (?:reply|type your reply)|reply|type your reply)\b.{0,60}"
    r"(?:au-dessus|above)",
    re.IGNORECASE,
)
_FIRST_FIELD = re.compile(r"[\s*_]*(?:De|From|Von|Da|Van|De parte de)[\s*_]*:[\s*_]*\S", re.IGNORECASE)
_OTHER_FIELD = re.compile(
    r"[\s*_]*(?:Envoyé|Date|Sent|Gesendet|Datum|Enviado|Inviato|Verzonden|À|A|To|An|Para|Aan|Cc|Objet|Subject|Betreff|"
    r"Asunto|Oggetto|Onderwerp|Assunto)(?: le)?[\s*_]*:",
    re.IGNORECASE,
)
_RULER = re.compile(r"\s*[_=–—-]{10,}\s*$")
_SIGNATURE = re.compile(r"--\s?$|—\s?$")
_SENT_FROM = re.compile(
    r"\s*(?:\[?(?:envoyé (?:de(?:puis)?|à partir (?:de|du|d['’])|avec|via)|sent (?:from|via|with)|gesendet (?:von|mit)|"
    r"enviado (?:desde|do)|inviato da|verstuurd vanaf|télécharge[rz] outlook|get outlook|provenance ?: courrier|"
    r"obtenir outlook|obtenez outlook|outlook pour)\b.{0,100})$",
    re.IGNORECASE,
)
_SMALL_PRINT = re.compile(
    r"\W{0,4}(?:ce (?:message|courriel|mail|e-mail)\b.{0,80}(?:confidenti|destiné|propriété|pièces jointes)|"
    r"this (?:message|e-?mail)\b.{0,80}(?:confidential|intended|privileged)|"
    r"(?:avant d['’]imprimer|pensez à l['’]environnement|n['’]imprimez|please consider the environment)\b)",
    re.IGNORECASE,
)


def readable(markup: str) -> str:
    """The text of an HTML mail, with quotations behind ">" as in plain mails."""
    parts: list[str] = []
    depth = at = 0
    for tag in _BLOCKQUOTE.finditer(markup):
        parts.append(_marked(text_of(markup[at : tag.start()]), depth))
        depth = max(0, depth - 1) if tag[1] else depth + 1
        at = tag.end()
    parts.append(_marked(text_of(markup[at:]), depth))
    return "\n".join(part for part in parts if part)


def unfolded(text: str, *, delete_space: bool = False) -> str:
    """The text of a part that says `format=flowed`: lines that end in a blank go on in the next (RFC 3676)."""
    lines: list[str] = []
    flows, before = False, 0
    for line in text.splitlines():
        stripped = line.lstrip(">")
        depth = len(line) - len(stripped)
        said = stripped.removeprefix(" ")
        if flows and depth == before and said != "-- ":
            lines[-1] += said
        else:
            lines.append(f"{'>' * depth} {said}" if depth else said)
        flows, before = said.endswith(" ") and said != "-- ", depth
        if flows and delete_space:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)


def new_words(body: str) -> tuple[str, bool]:
    """What was newly written, and whether the body goes on below it (quoted history, signature, small print)."""
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = _without_signature(lines, _without_history(lines))
    text = _tidy(lines[number] for number in kept)
    if not text:  # a forwarded mail, or one that is all quotation: better everything than nothing
        return _tidy(lines), False
    return text, any(line.strip() for line in lines[kept[-1] + 1 :])


def _marked(text: str, depth: int) -> str:
    if not depth:
        return text
    mark = ">" * min(depth, _DEEPEST)
    return "\n".join(f"{mark} {line}" for line in text.split("\n")) if text else ""


def _without_history(lines: list[str]) -> list[int]:
    """Numbers of the lines before the history, and of those between and below its quoted lines."""
    kept: list[int] = []
    at = 0
    while at < len(lines):
        if _starts_history(lines, at):
            break
        taken = _attribution_at(lines, at)
        if taken and not _quoted_next(lines, at + taken):
            break  # a program that does not mark what it quotes: all below is history
        if not taken and not lines[at].lstrip().startswith(">"):
            kept.append(at)
        at += taken or 1
    return kept


def _starts_history(lines: list[str], at: int) -> bool:
    line = lines[at][:_LINE_LIMIT]
    if _SEPARATOR.match(line) or _REPLY_ABOVE.match(line):
        return True
    first = at
    if _RULER.match(line):
        first = next((n for n in range(at + 1, min(at + 3, len(lines))) if lines[n].strip()), at)
    if not _FIRST_FIELD.match(lines[first][:_LINE_LIMIT]):
        return False
    below = [line for line in lines[first + 1 : first + 9] if line.strip()][:5]
    return sum(1 for line in below if _OTHER_FIELD.match(line[:_LINE_LIMIT])) >= 2


def _attribution_at(lines: list[str], at: int) -> int:
    """How many lines "On …, X wrote:" takes here; 0 where it is none. Programs break it over up to three."""
    first = lines[at].lstrip("> ")[:_LINE_LIMIT]
    if not first.strip():
        return 0
    joined = first
    for count in (1, 2, 3):
        if count > 1:
            if at + count > len(lines) or not _OPENS_ATTRIBUTION.match(first):
                return 0
            joined += " " + lines[at + count - 1].lstrip("> ")[:_LINE_LIMIT]
        if _ATTRIBUTION.match(joined[: 2 * _LINE_LIMIT]):
            return count
    return 0


def _quoted_next(lines: list[str], at: int) -> bool:
    following = next((line for line in lines[at:] if line.strip()), "")
    return following.lstrip().startswith(">")


def _without_signature(lines: list[str], kept: list[int]) -> list[int]:
    for place, number in enumerate(kept):
        said = lines[number][:_LINE_LIMIT]
        if _SIGNATURE.fullmatch(said) or _SMALL_PRINT.match(said):
            kept = kept[:place]
            break
    while kept and _is_trailer(lines[kept[-1]][:_LINE_LIMIT]):
        kept.pop()
    return kept


def _is_trailer(line: str) -> bool:
    return not line.strip() or _SENT_FROM.fullmatch(line) is not None or _RULER.match(line) is not None


def _tidy(lines: Iterable[str]) -> str:
    return _EMPTY_LINES.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip()
