"""Asked and answered: one client's requests, its pages, its sends and its receipts."""

from collections import Counter, defaultdict

# A request on a connection that provably lived so much longer must have been answered.
ANSWER_WITHIN_MS = 8_000
LIVED_ON_MS = 2_000

# The contract's table, section 3: code -> retryable.
CODES = {
    "invalid": False, "unauthenticated": False, "forbidden": False, "not_found": False, "conflict": False, "chat_closed": False,
    "too_large": False, "unsupported": False, "rejected": False, "rate_limited": True, "unavailable": True, "internal": True,
}
TROUBLE = {"unavailable", "rate_limited"}


class Requests:
    """What one client asked and what came back, over all of its lives."""

    def __init__(self, records):
        self.asked, self.answers, self.acks = {}, defaultdict(list), Counter()
        self.alive, self.seats, self.exceptions = defaultdict(list), {}, []
        life = 0
        for r in records:
            what = r["what"]
            if what == "born":
                life = r["life"]
            elif what == "asked":
                self.asked[(life, r["request"])] = {**r, "life": life}
            elif what == "answered":
                self.answers[(life, r["request"])].append(r)
            elif what == "ack":
                self.acks[(life, r["link"], r["id"])] += 1
            elif what == "seated":
                self.seats[r["booking_id"]] = r["from_seq"]
            elif what == "exception":
                self.exceptions.append(r)
            if "link" in r and what in ("alive", "told", "answered"):
                self.alive[(life, r["link"])].append(r["t"])

    def answer(self, key):
        return (self.answers[key] or [None])[0]

    def in_order(self, *commands):
        """(key, request) of these commands, as they were asked."""
        found = [(key, r) for key, r in self.asked.items() if r["cmd"] in commands]
        return sorted(found, key=lambda item: item[1]["t"])


def check_requests(verdict, name, requests):
    asked_ids = Counter()
    for key, request in requests.asked.items():
        link = (request["life"], request["link"])
        asked_ids[(*link, request["id"])] += 1
        count = requests.acks[(*link, request["id"])]
        answers = requests.answers[key]
        verdict.counts["requests"] += 1
        verdict.counts["answers"] += count
        verdict.hold("one-answer", count <= 1 and len(answers) <= 1, name, request["cmd"], f"{count} answers")
        for answer in answers:
            whole = ("data" in answer) != ("error" in answer)
            verdict.hold("one-answer", whole, name, request["cmd"], "is neither data nor error")
            if "data" in answer:
                verdict.counts[f"did:{request['cmd']}"] += 1
        if count == 0:
            verdict.counts["unanswered"] += 1
            alive = requests.alive[link]
            late = [t for t in alive if t >= request["t"] + ANSWER_WITHIN_MS]
            lived = bool(late) and max(alive) >= late[0] + LIVED_ON_MS
            verdict.hold("one-answer", not lived, name, request["cmd"], f"none on a connection that lived, request {key}")
        check_pages(verdict, name, request, answers, requests.seats)
    for place, count in requests.acks.items():
        verdict.hold("one-answer", asked_ids[place] == 1, name, f"an ack for {place}, which was asked {asked_ids[place]} times")
    for r in requests.exceptions:
        verdict.hold("one-answer", False, name, "an exception although every request had a callback:", r.get("command"))


def check_pages(verdict, name, request, answers, seats):
    payload = request["payload"]
    for data in (a["data"] for a in answers if "data" in a):
        if "messages" in data and "after_seq" in payload:
            after = max(payload["after_seq"], seats.get(payload["booking_id"], 1) - 1)
            check_page(verdict, name, after, data["messages"], data["last_seq"], data.get("has_more"))
        if request["cmd"] == "sync":
            wanted = {b["booking_id"]: b["after_seq"] for b in payload["bookings"]}
            for b in data["bookings"]:
                if "messages" in b:
                    check_page(verdict, name, wanted[b["booking_id"]], b["messages"], b["last_seq"], b["has_more"])


def check_page(verdict, name, after, messages, last_seq, has_more):
    verdict.counts["pages"] += 1
    due = list(range(after + 1, after + 1 + len(messages)))
    verdict.hold("page-is-whole", [m["seq"] for m in messages] == due, name, f"after {after}")
    if has_more is False:
        verdict.hold("page-is-whole", after + len(messages) >= last_seq or after >= last_seq, name, f"after {after}, head {last_seq}")


def check_refusals(verdict, name, records, requests, content, seatless):
    """seatless: for a client and a booking, between which times `not_found` may be due."""
    def due(code, booking, request, answer, changed=False):
        lost = seatless.get((name, booking))
        absent = code == "not_found" and lost is not None and lost[0] <= answer["t"] and request["t"] <= lost[1]
        return code in TROUBLE or absent or (changed and code == "conflict")

    def judge(error, command, fine, is_entry=False):
        code = error.get("code")
        verdict.counts[f"refused:{code}"] += 1
        whole = code in CODES and code != "internal" and error.get("message")
        # An entry of a sync carries code and message; the request itself has been answered.
        whole = whole and (is_entry or (CODES[code] == error.get("retryable") and error.get("request_id")))
        verdict.hold("error-is-whole", whole, name, command, error)
        verdict.hold("refusal-is-due", fine, name, command, error)

    for key, request in requests.asked.items():
        payload = request["payload"]
        for answer in requests.answers[key]:
            if "error" in answer:
                changed = request["cmd"] == "message.send" and payload["body"]["text"] != content[payload["client_id"]]
                judge(answer["error"], request["cmd"], due(answer["error"].get("code"), payload.get("booking_id"), request, answer, changed))
            for entry in answer.get("data", {}).get("bookings", []):
                if "error" in entry:
                    code = entry["error"].get("code")
                    judge(entry["error"], f"an entry of {request['cmd']}", due(code, entry["booking_id"], request, answer), True)
    final = False
    for r in records:
        if r["what"] == "turned-away":
            judge(r["error"], "the handshake", r["error"].get("code") in TROUBLE)
        elif r["what"] == "final":
            final = True
        elif r["what"] == "failed":
            # The SDK's own word for a message that it gives up. It was closed on purpose, or it is wrong.
            verdict.hold("refusal-is-due", final and r["code"] == "closed", name, r["booking_id"], "the SDK gave up:", r["code"])
        elif r["what"] == "trouble":
            verdict.hold("error-is-whole", r.get("code") != "internal", name, "the SDK was told:", r.get("code"), r["message"])


def check_sends(verdict, name, requests, first_told, content):
    sends = defaultdict(list)
    for key, request in requests.in_order("message.send"):
        payload = request["payload"]
        sends[(payload["booking_id"], payload["client_id"])].append((request, requests.answer(key)))
    for (booking, client_id), tries in sends.items():
        new = [a for _, a in tries if a and "data" in a and not a["data"]["duplicate"]]
        verdict.hold("repeat-is-known", len(new) <= 1, name, client_id, f"new {len(new)} times")
        acked_at = min((a["t"] for _, a in tries if a and "data" in a), default=None)
        for request, answer in tries:
            if answer is None:
                continue
            later = acked_at is not None and request["t"] > acked_at
            same = request["payload"]["body"]["text"] == content[client_id]
            if later and same and "data" in answer:
                verdict.counts["repeats"] += 1
                verdict.hold("repeat-is-known", answer["data"]["duplicate"], name, client_id, "a repeat is new")
            if later and not same:
                fine = "error" in answer and answer["error"]["code"] in TROUBLE | {"conflict", "not_found"}
                verdict.counts["conflicts"] += "error" in answer and answer["error"]["code"] == "conflict"
                verdict.hold("conflict", fine, name, client_id)
        told = first_told.get((booking, client_id.lower()))
        if told is not None:
            before = [a for request, a in tries if request["t"] < told]
            only_refused = before and all(a is not None and "error" in a for a in before)
            verdict.hold("refused-is-not-told", not only_refused, name, client_id)
        answered = [a for _, a in tries]
        if answered and all(a is not None and "error" in a for a in answered):
            yield booking, client_id


def check_receipts(verdict, name, requests, heads):
    """Whatever was asked after an answer is answered with no less than that answer said."""
    marks = defaultdict(list)
    for key, request in requests.in_order("receipt.mark"):
        answer = requests.answer(key)
        if answer is None or "data" not in answer:
            continue
        booking = request["payload"]["booking_id"]
        now = answer["data"]
        for field in ("delivered_seq", "read_seq"):
            known = max((m[field] for t, m in marks[booking] if t < request["t"]), default=0)
            verdict.hold("receipts-grow", known <= now[field] <= heads[booking], name, booking, f"{field} {now[field]}, was {known}")
        marked = request["payload"]["read_seq"]
        verdict.hold("receipts-grow", marked <= now["read_seq"] <= now["delivered_seq"], name, booking, f"marked {marked}, got {now}")
        marks[booking].append((answer["t"], now))
