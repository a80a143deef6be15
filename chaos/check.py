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

# A request on a connection that provably lived so much longer must have been answered.
ANSWER_WITHIN_MS = 8_000
LIVED_ON_MS = 2_000
SHOWN_EXAMPLES = 3

RULES = {
    "acked-is-stored": "what was acked is in the log, as it was acked",
    "once": "no client_id and no text is in the log twice",
    "gapless": "seq counts 1, 2, 3 ... in each booking",
    "history-is-table": "the history that REST gives is what the table holds",
    "nothing-invented": "the log holds only what somebody said, in NFC",
    "sender-order": "messages of one sender are in the order in which they were said",
    "real-time-order": "what was acked before another message was first sent comes before it",
    "kept-is-stored": "what the SDK's outbox has taken is in the log in the end",
    "slice": "what an observer was shown is one contiguous part of the log",
    "sees-all": "in the end every observer has seen everything up to the end of the log",
    "told-is-stored": "a live event shows a message of the log, byte for byte",
    "page-is-whole": "a page after a seq begins with the next one and has no gap",
    "one-answer": "every request has one answer, and exactly one when its connection lived",
    "repeat-is-known": "only one answer to a client_id says that it is new",
    "conflict": "another content under a used client_id is a conflict",
    "refused-is-not-told": "what was only refused so far is shown to nobody",
}


class Verdict:
    def __init__(self):
        self.broken = defaultdict(list)
        self.counts = Counter()

    def hold(self, rule, fact, *example):
        assert rule in RULES, rule
        if not fact:
            self.broken[rule].append(" ".join(str(part) for part in example))


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
    failed = {r["text"] for r in records if r["what"] == "failed" and r["code"] != "closed"}
    for r in records:
        if r["what"] == "kept" and r["text"] not in failed:
            verdict.counts["kept"] += 1
            verdict.hold("kept-is-stored", (r["booking_id"], r["client_id"].lower()) in by_client_id, name, r["client_id"])
        if r["what"] == "drained":
            verdict.hold("kept-is-stored", not r["open"], name, "still open:", *r["open"][:2])
        if r["what"] == "told":
            verdict.counts["told"] += 1
            m = r["message"]
            verdict.hold("told-is-stored", stored.get((m["booking_id"], m["seq"])) == m, name, m["booking_id"], m["seq"])


def check_views(verdict, name, records, stored, heads):
    """One view for each life of the client: it starts with an empty screen."""
    views, alive = {}, False
    for r in records:
        if r["what"] == "born":
            views, alive = {}, True
            bookings = r["bookings"]
        elif r["what"] == "seen":
            m, booking = r["message"], r["booking_id"]
            verdict.counts["seen"] += 1
            due = views.get(booking, 0) + 1
            verdict.hold("slice", m["seq"] == due, name, booking, f"seq {m['seq']} instead of {due}")
            verdict.hold("slice", stored.get((booking, m["seq"])) == m, name, booking, m["seq"], "is not what the log has")
            views[booking] = m["seq"]
        elif r["what"] == "final":
            for booking in bookings:
                verdict.hold("sees-all", views.get(booking, 0) == heads[booking], name, booking,
                             f"saw up to {views.get(booking, 0)} of {heads[booking]}")
            alive = False
    verdict.hold("sees-all", not alive, name, "never came to its end")


def check_requests(verdict, name, records):
    asked, answers, acks, life, down, alive = {}, defaultdict(list), Counter(), 0, {}, defaultdict(list)
    for r in records:
        if r["what"] == "born":
            life = r["life"]
        elif r["what"] == "asked":
            asked[(life, r["request"])] = {**r, "life": life}
        elif r["what"] == "answered":
            answers[(life, r["request"])].append(r)
        elif r["what"] == "ack":
            acks[(life, r["link"], r["id"])] += 1
        elif r["what"] == "down":
            down[(life, r["link"])] = r["t"]
        if "link" in r and r["what"] in ("alive", "told", "answered"):
            alive[(life, r["link"])].append(r["t"])
    for key, request in asked.items():
        link = (request["life"], request["link"])
        count = acks[(*link, request["id"])]
        verdict.counts["requests"] += 1
        verdict.counts["answers"] += count
        verdict.hold("one-answer", count <= 1 and len(answers[key]) <= 1, name, request["cmd"], f"{count} answers")
        for answer in answers[key]:
            whole = ("data" in answer) != ("error" in answer)
            verdict.hold("one-answer", whole, name, request["cmd"], "is neither data nor error")
        if count == 0:
            verdict.counts["unanswered"] += 1
            last = max(alive[link], default=0)
            late = [t for t in alive[link] if t >= request["t"] + ANSWER_WITHIN_MS]
            lived = bool(late) and last >= late[0] + LIVED_ON_MS
            verdict.hold("one-answer", not lived, name, request["cmd"], f"none on a connection that lived, request {key}")
        page = next((a["data"] for a in answers[key] if "messages" in a.get("data", {})), None)
        after = request["payload"].get("after_seq")
        if page is not None and after is not None:
            check_page(verdict, name, after, page["messages"], page["last_seq"], page.get("has_more"))
        for answer in answers[key]:
            if "bookings" in answer.get("data", {}) and request["cmd"] == "sync":
                wanted = {b["booking_id"]: b["after_seq"] for b in request["payload"]["bookings"]}
                for b in answer["data"]["bookings"]:
                    if "messages" in b:
                        check_page(verdict, name, wanted[b["booking_id"]], b["messages"], b["last_seq"], b["has_more"])
    return asked, answers


def check_page(verdict, name, after, messages, last_seq, has_more):
    verdict.counts["pages"] += 1
    due = list(range(after + 1, after + 1 + len(messages)))
    verdict.hold("page-is-whole", [m["seq"] for m in messages] == due, name, f"after {after}")
    if has_more is False:
        verdict.hold("page-is-whole", after + len(messages) >= last_seq or after >= last_seq, name, f"after {after}, head {last_seq}")


def check_sends(verdict, name, asked, answers, first_told, content):
    sends = defaultdict(list)
    for key, request in sorted(asked.items(), key=lambda item: item[1]["t"]):
        if request["cmd"] == "message.send":
            payload = request["payload"]
            sends[(payload["booking_id"], payload["client_id"])].append((request, (answers[key] or [None])[0]))
    for (booking, client_id), tries in sends.items():
        new = [a for _, a in tries if a and "data" in a and not a["data"]["duplicate"]]
        verdict.hold("repeat-is-known", len(new) <= 1, name, client_id, f"new {len(new)} times")
        acked_at = min((a["t"] for _, a in tries if a and "data" in a), default=None)
        for request, answer in tries:
            if answer is None:
                continue
            later = acked_at is not None and request["t"] > acked_at
            if "error" in answer:
                verdict.counts[f"refused:{answer['error']['code']}"] += 1
            same = request["payload"]["body"]["text"] == content[client_id]
            if later and same and "data" in answer:
                verdict.counts["repeats"] += 1
                verdict.hold("repeat-is-known", answer["data"]["duplicate"], name, client_id, "a repeat is new")
            if later and not same:
                fine = "error" in answer and answer["error"]["code"] in ("conflict", "unavailable")
                verdict.counts["conflicts"] += 1
                verdict.hold("conflict", fine, name, client_id)
        told = first_told.get((booking, client_id.lower()))
        if told is not None:
            before = [a for request, a in tries if request["t"] < told]
            only_refused = before and all(a is not None and "error" in a for a in before)
            verdict.hold("refused-is-not-told", not only_refused, name, client_id)
        answered = [a for _, a in tries]
        if answered and all(a is not None and "error" in a for a in answered):
            yield booking, client_id


def check_order(verdict, name, kind, records, asked, answers, by_text, by_client_id):
    """by_text and by_client_id: where in its booking's log a message is."""
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
    tries = Counter(r["payload"]["client_id"] for r in asked.values() if r["cmd"] == "message.send")
    last = {}
    for key, r in sorted(asked.items(), key=lambda item: item[1]["t"]):
        if r["cmd"] != "message.send" or tries[r["payload"]["client_id"]] != 1:
            continue
        answer = (answers[key] or [None])[0]
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
    unsure = 0
    for name, records in clients.items():
        kind = records[0]["kind"]
        check_promises(verdict, name, records, stored)
        check_views(verdict, name, records, stored, heads)
        asked, answers = check_requests(verdict, name, records)
        check_order(verdict, name, kind, records, asked, answers, by_text, by_client_id)
        for booking, client_id in check_sends(verdict, name, asked, answers, first_told, content):
            unsure += (booking, client_id.lower()) in by_client_id
    check_real_time(verdict, begun, acked, stored)
    verdict.counts["refused-yet-kept"] = unsure
    return report(verdict, folder, run)


def report(verdict, folder, run):
    for rule, examples in verdict.broken.items():
        print(f"BROKEN {rule}: {RULES[rule]} - {len(examples)} times, e.g.")
        for example in examples[:SHOWN_EXAMPLES]:
            print(f"    {example}")
    ready = []
    path = Path(folder) / "faults.jsonl"
    if path.exists():
        faults = [json.loads(line) for line in path.read_text("utf8").splitlines()]
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
