"""The send step: what people asked of networks (answers, private answers, acts on messages) and records for the CRMs.

Each row of the outbox has its own fate, told in words where a person can act on it. After an attempt of which nobody knows how
it ended, an answer is looked for before it is sent again; an act is simply done again, since twice is once.
"""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.contracts import (
    Act,
    CanFindRecord,
    CanModerate,
    CanReadBack,
    CanReply,
    CanReplyPrivately,
    Collector,
    CrmConnector,
    IdempotencyKey,
    Permission,
    Receipt,
    ReceiptState,
    RemoteId,
)
from domain.errors import (
    ComptoirError,
    ConfigurationError,
    ContractError,
    OutcomeUnknownError,
    RefusedError,
    StorageError,
    TransientError,
)
from domain.mention import Mention
from domain.permission import rights_of
from store.moderation import Turn
from store.outbox import ASKED, OutboxKind, OutboxRow
from store.sources import Source

if TYPE_CHECKING:
    from worker import Report, Worker

log = logging.getLogger("comptoir.worker")

SEND_BATCH = 100
MAX_ATTEMPTS = 8  # spread over a day by the back-off; then a person decides
_A_MOMENT = timedelta(seconds=5)


def send(worker: "Worker", report: "Report") -> None:
    """Carry what waits in the outbox: answers and acts to the networks, records to the CRMs."""
    for source in worker.store.sources.all():
        send_asked(worker, source, report)
    for key, crm in worker.crms.items():
        send_records(worker, key, crm, report)


def send_asked(worker: "Worker", source: Source, report: "Report") -> None:
    """Send what people asked of one source, one at a time: each has its own fate."""
    outbox = worker.store.outbox
    for row in outbox.lease(ASKED, source.key, SEND_BATCH, worker.now()):
        try:
            collector = worker.collector_of(source)
            if row.kind == OutboxKind.MODERATION:
                _moderate(worker, collector, row, report)
            else:
                _send_answer(worker, collector, row, report)
        except OutcomeUnknownError as error:
            settle = outbox.unknown if row.attempt_count >= MAX_ATTEMPTS else outbox.doubt
            settle([row], str(error), worker.now())
            report.failed += 1
        except TransientError as error:
            if row.attempt_count >= MAX_ATTEMPTS:
                outbox.refused([row], f"Given up after {MAX_ATTEMPTS} tries. {error}", worker.now())
            else:
                outbox.retry([row], str(error), worker.now(), error.retry_after)
            report.failed += 1
        except ConfigurationError as error:  # mended by a person, then it leaves by itself
            outbox.retry([row], str(error), worker.now(), timedelta(hours=1))
            report.needs_person.append(f"{source.title}: {error}")
            report.failed += 1
        except RefusedError as error:
            outbox.refused([row], str(error), worker.now())
            report.needs_person.append(f"{source.title}: {error}")
            report.failed += 1
        except StorageError:
            raise
        except Exception as error:
            if not isinstance(error, ContractError):
                log.exception("bug while sending through %s", source.key)
            # The answer to our request could not be read: it may have been carried out.
            outbox.unknown([row], f"{error} Look on the network before sending again.", worker.now())
            report.failed += 1


def _send_answer(worker: "Worker", collector: Collector, row: OutboxRow, report: "Report") -> None:
    outbox = worker.store.outbox
    mention = _mention_of(worker, row, "The message to answer is no longer there.")
    if row.kind == OutboxKind.PRIVATE and not isinstance(collector, CanReplyPrivately):
        raise RefusedError(f"{collector.spec.title} takes no private answers. Answer publicly, or on its own page.")
    if row.kind == OutboxKind.REPLY and not isinstance(collector, CanReply):
        raise RefusedError(f"{collector.spec.title} takes no answers. Open the message on its own page.")
    text: str = row.payload["text"]
    rights, permission = rights_of(collector), _permission(collector, mention, row)
    if row.interrupted:  # an earlier attempt may have arrived: look before sending again
        if not isinstance(collector, CanReadBack):
            outbox.unknown(
                [row], "An earlier attempt may have arrived, and this network cannot be asked.", worker.now()
            )
            report.failed += 1
            return
        found = _looked_for(worker, collector, mention, row)
        if found is not None:
            outbox.reply_sent(row, mention, found, worker.now(), rights, permission.price)
            report.sent += 1
            return
    if row.kind == OutboxKind.PRIVATE and isinstance(collector, CanReplyPrivately):
        if not permission.allowed:
            raise RefusedError(permission.reason or f"{collector.spec.title} takes no private answer to this message.")
        remote_id = collector.reply_privately(mention, text, row.key)
    else:
        assert isinstance(collector, CanReply)  # noqa: S101 - looked at above
        remote_id = collector.reply(mention, text, row.key)
    outbox.reply_sent(row, mention, remote_id, worker.now(), rights, permission.price)
    report.sent += 1


def _permission(collector: Collector, mention: Mention, row: OutboxRow) -> Permission:
    if row.kind == OutboxKind.PRIVATE and isinstance(collector, CanReplyPrivately):
        return collector.may_reply_privately(mention)
    if isinstance(collector, CanReply):
        return collector.may_reply(mention)
    return Permission(False)


def _looked_for(worker: "Worker", collector: CanReadBack, mention: Mention, row: OutboxRow) -> RemoteId | None:
    try:
        found = collector.find_reply(mention, row.payload["text"], IdempotencyKey(row.key))
    except TransientError as error:  # the doubt stays: nothing is sent before somebody has looked
        raise OutcomeUnknownError(f"It cannot be checked whether the answer arrived: {error}") from error
    if found is not None and worker.store.outbox.is_taken(row, found):
        # The same words, said publicly and privately: what was found is the other answer, and hides this one.
        raise ContractError(
            "Another answer with the same words is there, so it cannot be told whether this one arrived."
        )
    return found


def _moderate(worker: "Worker", collector: Collector, row: OutboxRow, report: "Report") -> None:
    moderation, act = worker.store.moderation, Act(row.payload["act"])
    turn = moderation.turn(row)
    if turn is Turn.OVERTAKEN:
        moderation.overtaken(row, worker.now())
        return
    if turn is Turn.WAIT:
        worker.store.outbox.retry([row], "", worker.now(), _A_MOMENT)
        return
    mention = _mention_of(worker, row, "The message is no longer there.")
    if not isinstance(collector, CanModerate):
        raise RefusedError(
            f"{collector.spec.title} lets nothing be hidden or deleted from here. Do it on its own page."
        )
    # Whether a hidden message may be hidden is no question: what a network shows was heard a while ago.
    hiding = {Act.HIDE, Act.UNHIDE}
    allowed = set(collector.may_moderate(mention))
    if not allowed & (hiding if act in hiding else {act}):
        raise RefusedError(f"{collector.spec.title} does not allow this for this message. Open it on its own page.")
    collector.moderate(mention, act, IdempotencyKey(row.key))
    moderation.done(row, worker.now())
    report.sent += 1


def _mention_of(worker: "Worker", row: OutboxRow, missing: str) -> Mention:
    mention = worker.store.mentions.get(row.mention_id) if row.mention_id else None
    if mention is None:
        raise RefusedError(missing)
    return mention


def send_records(worker: "Worker", key: str, crm: CrmConnector, report: "Report") -> None:
    """Push what waits for one CRM, batch by batch."""
    while True:
        rows = worker.store.outbox.lease("crm", key, min(crm.spec.batch_size, SEND_BATCH * 5), worker.now())
        if not rows or not _push(worker, crm, rows, report):
            return


def _push(worker: "Worker", crm: CrmConnector, rows: list[OutboxRow], report: "Report") -> bool:
    # False where the CRM is in trouble: the rest of its backlog waits too.
    outbox, now = worker.store.outbox, worker.now()
    if not crm.spec.idempotent:
        rows = _without_arrived(worker, crm, rows, report)
        if not rows:
            return True
    try:
        receipts = crm.push([row.record for row in rows])
        if len(receipts) != len(rows):
            raise ContractError(f"{len(rows)} records were pushed, {len(receipts)} receipts came back.")
    except StorageError:
        raise
    except ConfigurationError as error:
        outbox.retry(rows, str(error), now, timedelta(hours=1))
        report.needs_person.append(f"{crm.spec.title}: {error}")
    except OutcomeUnknownError as error:
        (outbox.retry if crm.spec.idempotent else outbox.doubt)(rows, str(error), now, error.retry_after)
    except TransientError as error:
        outbox.retry(rows, str(error), now, error.retry_after)
    except Exception as error:
        if not isinstance(error, ComptoirError):
            log.exception("bug while pushing to %s", crm.spec.key)
        # Pushing again is safe only where a record pushed twice makes no second one.
        (outbox.retry if crm.spec.idempotent else outbox.unknown)(rows, str(error), now)
    else:
        _settle(worker, rows, receipts, report)
        return True
    report.failed += len(rows)
    return False


def _without_arrived(worker: "Worker", crm: CrmConnector, rows: list[OutboxRow], report: "Report") -> list[OutboxRow]:
    # Rows of a dead or unanswered attempt may be there already: nothing is pushed again before somebody has looked.
    outbox, waiting = worker.store.outbox, []
    for row in rows:
        if not row.interrupted:
            waiting.append(row)
        elif not isinstance(crm, CanFindRecord):
            outbox.unknown([row], "An earlier attempt may have arrived, and this CRM cannot be asked.", worker.now())
            report.failed += 1
        else:
            try:
                found = crm.find(row.record)
            except TransientError as error:  # the doubt stays
                outbox.doubt([row], f"It cannot be checked whether the record arrived: {error}", worker.now())
                report.failed += 1
                continue
            if found is None:
                waiting.append(row)
            else:
                outbox.sent([(row, found)], worker.now())
                report.sent += 1
    return waiting


def _settle(worker: "Worker", rows: list[OutboxRow], receipts: list[Receipt], report: "Report") -> None:
    outbox, now = worker.store.outbox, worker.now()
    accepted = [
        (row, receipt.remote_id or "")
        for row, receipt in zip(rows, receipts, strict=True)
        if receipt.state is ReceiptState.ACCEPTED
    ]
    outbox.sent(accepted, now)
    report.sent += len(accepted)
    for row, receipt in zip(rows, receipts, strict=True):
        if receipt.state is ReceiptState.REFUSED:
            outbox.refused([row], receipt.reason, now)
        elif receipt.state is ReceiptState.UNKNOWN:
            outbox.unknown([row], receipt.reason, now)
    report.failed += len(rows) - len(accepted)
