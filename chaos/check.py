#!/usr/bin/env python3
"""Reads the records of one run of the fault suite and decides whether the promises were kept.

    python3 chaos/check.py chaos/.out/<name>

It knows nothing of the server: only what clients asked, heard and saw (one JSONL file for each client), and what the
log holds at the end (log.json: as REST gives it, and as the table has it). Exit code 0: kept; 1: broken; 2: no records.
"""

import json
import sys
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

# A checkout stays as it was.
sys.dont_write_bytecode = True

from checker.enough import check_enough
from checker.handover import check_handover, handover_of
from checker.requests import Requests, check_receipts, check_refusals, check_requests, check_sends
from checker.verdict import RULES, Verdict

SHOWN_EXAMPLES = 3

def read_faults(folder):
    path = Path(folder) / "faults.jsonl"
    return [json.loads(line) for line in path.read_text("utf8").splitlines()] if path.exists() else []


def read_records(folder):
    clients = {}
    for path in sorted(Path(folder).glob("*.jsonl")):
        if path.name == "faults.jsonl":
            continue
        lines = path.read_text("utf8").split("\n")
        # The last line of a killed process may be cut off.
        records = [json.loads(line) for line in lines[:-1] if line]
        if records:
            clients[path.stem] = records
    return clients


def text_of(message):
    return message["body"].get("text", "")


def check_log(verdict, log, table, said_texts):
    for booking, messages in log.items():
        verdict.hold("gapless", [m["seq"] for m in messages] == list(range(1, len(messages) + 1)), booking)
        ids = Counter((m["sender"]["user_id"], m["client_id"].lower()) for m in messages)
        for key, count in ids.items():
            verdict.hold("once", count == 1, booking, key, f"{count} times")
        for text, count in Counter(text_of(m) for m in messages).items():
            verdict.hold("once", count == 1, booking, repr(text[:40]), f"{count} times")
        for m in messages:
            text = text_of(m)
            verdict.hold("nothing-invented", text in said_texts[booking], booking, m["seq"], repr(text[:40]))
        rows = [(r["seq"], r["client_id"], json.loads(r["body"])) for r in table[booking]]
        verdict.hold("history-is-table", rows == [(m["seq"], m["client_id"].lower(), m["body"]) for m in messages], booking)
        verdict.counts["stored"] += len(messages)


def acks_of(records):
    """Every answer with a message: (time, message, duplicate)."""
    for r in records:
        if r["what"] == "acked":
            yield r["t"], r["message"], r["duplicate"]
        elif r["what"] == "answered" and "message" in r.get("data", {}):
            yield r["t"], r["data"]["message"], r["data"]["duplicate"]


def check_promises(verdict, name, records, stored):
    for _, message, _ in acks_of(records):
        verdict.counts["acked"] += 1
        found = stored.get((message["booking_id"], message["seq"]))
        verdict.hold("acked-is-stored", found == message, name, message["booking_id"], message["seq"], message["client_id"])
    by_client_id = {(m["booking_id"], m["client_id"].lower()) for m in stored.values()}
    for r in records:
        if r["what"] == "kept":
            verdict.counts["kept"] += 1
            verdict.hold("kept-is-stored", (r["booking_id"], r["client_id"].lower()) in by_client_id, name, r["client_id"])
        if r["what"] == "drained":
            verdict.hold("kept-is-stored", not r["open"], name, "still open:", *r["open"][:2])
            verdict.hold("said-is-stored", r["waiting"] == 0, name, r["waiting"], "never heard what became of them")
        if r["what"] == "told":
            verdict.counts["told"] += 1
            m = r["message"]
            verdict.hold("told-is-stored", stored.get((m["booking_id"], m["seq"])) == m, name, m["booking_id"], m["seq"])


def check_said(verdict, name, records, by_text, lost):
    """A killed life may take with it what its outbox had not taken yet; the last one has no such excuse."""
    born = max(i for i, r in enumerate(records) if r["what"] == "born")
    for r in records[born:]:
        if r["what"] == "said" and r["booking_id"] not in lost:
            there = (r["booking_id"], unicodedata.normalize("NFC", r["text"])) in by_text
            verdict.hold("said-is-stored", there, name, r["booking_id"], repr(r["text"][:40]))


def check_views(verdict, name, records, stored, heads, lost):
    """One view for each life of the client: it starts with an empty screen, or where its seat begins."""
    views, alive = {}, False
    for r in records:
        if r["what"] == "born":
            views, alive = {}, True
            bookings = r["bookings"]
        elif r["what"] == "seated":
            views[r["booking_id"]] = r["from_seq"] - 1
        elif r["what"] == "seen":
            m, booking = r["message"], r["booking_id"]
            verdict.counts["seen"] += 1
            due = views.get(booking, 0) + 1
            verdict.hold("slice", m["seq"] == due, name, booking, f"seq {m['seq']} instead of {due}")
            verdict.hold("slice", stored.get((booking, m["seq"])) == m, name, booking, m["seq"], "is not what the log has")
            views[booking] = m["seq"]
        elif r["what"] == "final":
            for booking in set(bookings) - lost:
                verdict.hold("sees-all", views.get(booking, 0) == heads[booking], name, booking,
                             f"saw up to {views.get(booking, 0)} of {heads[booking]}")
            alive = False
    verdict.hold("sees-all", not alive, name, "never came to its end")


def check_order(verdict, name, kind, records, requests, by_text):
    """by_text: where in its booking's log a message is."""
    if kind == "sdk":
        last = {}
        for r in records:
            if r["what"] != "said":
                continue
            seq = by_text.get((r["booking_id"], unicodedata.normalize("NFC", r["text"])))
            if seq is not None:
                verdict.hold("sender-order", seq > last.get(r["booking_id"], 0), name, r["booking_id"], repr(r["text"][:30]))
                last[r["booking_id"]] = max(seq, last.get(r["booking_id"], 0))
        return
    # Sent once, on one connection, one after the other, and each answered as new: then that is their order.
    sends = requests.in_order("message.send")
    tries = Counter(r["payload"]["client_id"] for _, r in sends)
    last = {}
    for key, r in sends:
        answer = requests.answer(key)
        if tries[r["payload"]["client_id"]] != 1:
            continue
        if answer is None or "data" not in answer or answer["data"]["duplicate"]:
            continue
        lane = (r["life"], r["link"], r["payload"]["booking_id"])
        seq = answer["data"]["message"]["seq"]
        verdict.hold("sender-order", seq > last.get(lane, 0), name, lane, f"seq {seq} after {last.get(lane, 0)}")
        last[lane] = seq


def check_real_time(verdict, begun, acked, stored):
    """begun: first moment a message existed; acked: when its sender knew that it is stored."""
    for booking in {key[0] for key in stored}:
        rows = sorted((m["seq"], m["client_id"].lower()) for (b, _), m in stored.items() if b == booking)
        earliest_ack = None
        # From the end: nothing later in the log may have been acked before this one was begun.
        for seq, client_id in reversed(rows):
            start = begun.get((booking, client_id))
            if earliest_ack is not None and start is not None:
                verdict.hold("real-time-order", earliest_ack >= start, booking, f"seq {seq} was begun after a later one was acked")
            ack = acked.get((booking, client_id))
            if ack is not None:
                earliest_ack = ack if earliest_ack is None else min(ack, earliest_ack)


def main(folder):
    clients = read_records(folder)
    run = json.loads((Path(folder) / "run.json").read_text("utf8"))
    end = json.loads((Path(folder) / "log.json").read_text("utf8"))
    if not clients:
        print("no records")
        return 2
    verdict = Verdict()
    log, table = end["log"], end["table"]
    stored = {(booking, m["seq"]): m for booking, messages in log.items() for m in messages}
    heads = {booking: max((r["seq"] for r in rows), default=0) for booking, rows in table.items()}
    said, content, first_told, begun, acked = defaultdict(set), {}, {}, {}, {}
    for records in clients.values():
        for r in records:
            if r["what"] == "said":
                verdict.counts["said"] += 1
                said[r["booking_id"]].add(unicodedata.normalize("NFC", r["text"]))
                if "client_id" in r:
                    content[r["client_id"]] = r["text"]
            if r["what"] == "told":
                key = (r["booking_id"], r["message"]["client_id"].lower())
                first_told[key] = min(r["t"], first_told.get(key, r["t"]))
            if r["what"] in ("said", "kept") and "client_id" in r:
                begun.setdefault((r["booking_id"], r["client_id"].lower()), r["t"])
        for t, m, _ in acks_of(records):
            key = (m["booking_id"], m["client_id"].lower())
            acked[key] = min(t, acked.get(key, t))
    check_log(verdict, log, table, said)
    by_text = {(b, text_of(m)): m["seq"] for (b, _), m in stored.items()}
    by_client_id = {(b, m["client_id"].lower()): m["seq"] for (b, _), m in stored.items()}
    faults = read_faults(folder)
    over, seatless = handover_of(run, faults)
    requests_of = {name: Requests(records) for name, records in clients.items()}
    for name, records in clients.items():
        requests = requests_of[name]
        lost = {over["id"]} if over and name == over["giver"] else set()
        check_promises(verdict, name, records, stored)
        check_said(verdict, name, records, by_text, lost)
        check_views(verdict, name, records, stored, heads, lost)
        check_requests(verdict, name, requests)
        check_refusals(verdict, name, records, requests, content, seatless)
        check_receipts(verdict, name, requests, heads)
        check_order(verdict, name, records[0]["kind"], records, requests, by_text)
        for booking, client_id in check_sends(verdict, name, requests, first_told, content):
            verdict.counts["refused-yet-kept"] += (booking, client_id.lower()) in by_client_id
        verdict.counts["links lost"] += sum(r["what"] == "down" for r in records)
    check_real_time(verdict, begun, acked, stored)
    verdict.hold("not-vacuous", over is not None, "the booking was never handed over")
    if over:
        check_handover(verdict, over, clients, requests_of, stored)
    check_enough(verdict, run, faults, clients)
    return report(verdict, run, faults)


def report(verdict, run, faults):
    for rule, examples in verdict.broken.items():
        print(f"BROKEN {rule}: {RULES[rule]} - {len(examples)} times, e.g.")
        for example in examples[:SHOWN_EXAMPLES]:
            print(f"    {example}")
    verdict.counts["faults"] = sum(f["what"] == "apply" for f in faults)
    ready = sorted(f["afterMs"] for f in faults if f["what"] == "ready")
    verdict.counts.update({f"cut:{point}": count for point, count in run["cuts"].items()})
    figures = ", ".join(f"{name} {count}" for name, count in sorted(verdict.counts.items()))
    if ready:
        figures += f", ready again after {ready[len(ready) // 2]:.0f} ms (median) and {ready[-1]:.0f} ms (worst)"
    print(figures)
    words = f"{len(verdict.broken)} of {len(RULES)} rules broken" if verdict.broken else f"all {len(RULES)} rules kept"
    print(f"{'RED' if verdict.broken else 'GREEN'}: seed {run['seed']}, {words}")
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else 2)
