"""A run in which nothing happened must not be green."""

COMMANDS = (
    "connection-established", "message.send", "message.list", "receipt.mark", "typing.set", "location.share", "booking.list",
    "sync", "token.refresh",
)
SAID_PER_S = 15
ACKED_OF_SAID = 0.3
# Only as long as this, a run surely meets the rare ones.
LONG_MS = 30_000
BREAKS_LINKS = ("server-kill", "both-kill", "flap", "cut-")


def check_enough(verdict, run, faults, clients):
    counts, seconds = verdict.counts, run["lengthMs"] / 1_000

    def least(name, minimum):
        verdict.hold("not-vacuous", counts[name] >= minimum, f"{name}: {counts[name]}, at least {minimum:.0f} are due")

    least("said", SAID_PER_S * seconds)
    least("acked", ACKED_OF_SAID * counts["said"])
    for name in ("told", "seen", "pages", "stored"):
        least(name, seconds)
    for command in COMMANDS:
        least(f"did:{command}", 1)
    if run["lengthMs"] >= LONG_MS:
        for name in ("repeats", "conflicts", "refused after the handover"):
            least(name, 1)
    planned = [f["fault"] for f in run["planned"]]
    struck = [f["fault"] for f in faults if f["what"] == "apply"]
    verdict.hold("not-vacuous", sorted(planned) == sorted(struck), f"{len(struck)} of {len(planned)} planned faults struck")
    if any(fault.startswith(BREAKS_LINKS) for fault in planned):
        least("links lost", 1)
    if sum(fault.startswith("cut-") for fault in planned) >= 3:
        verdict.hold("not-vacuous", sum(run["cuts"].values()) > 0, "no connection was ever cut")
    for client in run["cast"]:
        said = sum(r["what"] == "said" for r in clients.get(client["name"], []))
        verdict.hold("not-vacuous", client["everyMs"] == 0 or said > 0, client["name"], "said nothing")
    for name, records in clients.items():
        verdict.hold("not-vacuous", any(r["what"] == "seen" for r in records), name, "saw nothing")
    missing = {client["name"] for client in run["cast"]} - set(clients)
    verdict.hold("not-vacuous", not missing, "without records:", *sorted(missing))
