"""The booking that the host gives to another driver in the middle of a run."""

from .requests import TROUBLE

# What both drivers ask of no booking in particular.
OF_NO_BOOKING = ("booking.list", "token.refresh", "sync")
FOREVER = float("inf")


def handover_of(run, faults):
    """{booking, from, to, begun, done, tries}, and when `not_found` is due to whom."""
    note = next((f for f in faults if f["what"] == "handover"), None)
    if note is None:
        return None, {}
    over = {**run["handover"], "begun": note["begun"], "done": note["t"], "tries": note["tries"]}
    parts = {client["handover"]: client["name"] for client in run["cast"] if client.get("handover")}
    over["giver"], over["taker"] = parts["gives"], parts["takes"]
    return over, {(over["giver"], over["id"]): (over["begun"], FOREVER), (over["taker"], over["id"]): (0, over["done"])}


def check_handover(verdict, over, clients, requests_of, stored):
    booking, line = over["id"], requests_of[over["taker"]].seats.get(over["id"])
    verdict.hold("not-vacuous", line is not None, over["taker"], "never took the seat")
    if line is None:
        return
    for (where, seq), m in stored.items():
        if where == booking and m["sender"]["user_id"] == over["from"]:
            verdict.hold("last-word", seq < line, f"seq {seq} of {over['from']} is behind the line {line}")
        if where == booking and m["sender"]["user_id"] == over["to"]:
            verdict.hold("last-word", seq >= line, f"seq {seq} of {over['to']} is before the line {line}")
    heard_last, said_goodbye = False, set()
    for r in clients[over["giver"]]:
        mine = r.get("booking_id") == booking
        if r["what"] == "heard" and mine:
            verdict.hold("last-word", not heard_last, over["giver"], "heard", r["event"], "after `unassigned`")
            if r["event"] == "booking.updated" and r.get("reason") == "unassigned":
                heard_last = True
                said_goodbye.add(r["link"])
        if r["what"] in ("told", "seen") and mine:
            verdict.hold("last-word", r["message"]["seq"] < line, over["giver"], r["what"], r["message"]["seq"], f"line {line}")
    verdict.counts["goodbyes"] = len(said_goodbye)
    check_silence(verdict, over, requests_of[over["giver"]])
    check_goodbye(verdict, over, clients[over["giver"]], said_goodbye)


def check_silence(verdict, over, requests):
    """Everything that is asked after the handover is refused like a booking that does not exist."""
    for key, request in requests.asked.items():
        answer = requests.answer(key)
        if request["t"] <= over["done"] or answer is None:
            continue
        if request["cmd"] not in OF_NO_BOOKING:
            code = answer.get("error", {}).get("code")
            verdict.counts["refused after the handover"] += code == "not_found"
            verdict.hold("last-word", code in TROUBLE | {"not_found"}, over["giver"], request["cmd"], "is answered after the handover")
        for entry in answer.get("data", {}).get("bookings", []):
            seen = entry["booking_id"] == over["id"] and "error" not in entry
            verdict.hold("last-word", not seen, over["giver"], request["cmd"], "shows the booking after the handover")


def check_goodbye(verdict, over, records, said_goodbye):
    """A link that lived through a handover of one call was told. After a second call, nobody knows which one did it."""
    up, lived = {}, {}
    for r in records:
        if r["what"] == "up" and r["t"] < over["begun"]:
            up[r["link"]] = True
        elif r["what"] == "down":
            lived.pop(r["link"], None)
            if r["t"] < over["done"] + 5_000:
                up.pop(r["link"], None)
        elif r["what"] in ("alive", "answered") and up.get(r.get("link")) and r["t"] > over["done"] + 5_000:
            lived[r["link"]] = True
    for link in lived if over["tries"] == 1 else ():
        verdict.hold("last-word", link in said_goodbye, over["giver"], f"link {link} lived on and was never told")
