"""The rules, and what was found against each."""

from collections import Counter, defaultdict

RULES = {
    "acked-is-stored": "what was acked is in the log, as it was acked",
    "once": "no client_id and no text is in the log twice",
    "gapless": "seq counts 1, 2, 3 ... in each booking",
    "history-is-table": "the history that REST gives is what the table holds",
    "nothing-invented": "the log holds only what somebody said, in NFC",
    "sender-order": "messages of one sender are in the order in which they were said",
    "real-time-order": "what was acked before another message was first sent comes before it",
    "kept-is-stored": "what the SDK's outbox has taken is in the log in the end",
    "said-is-stored": "what was said in a life that came to its end is in the log, and answered",
    "slice": "what an observer was shown is one contiguous part of the log",
    "sees-all": "in the end every observer has seen everything up to the end of the log",
    "told-is-stored": "a live event shows a message of the log, byte for byte",
    "page-is-whole": "a page after a seq begins with the next one and has no gap",
    "one-answer": "every request has one answer, and exactly one when its connection lived; none comes unasked",
    "error-is-whole": "an error is of the contract's table, with all its fields, and never `internal`",
    "refusal-is-due": "only another content (conflict), a lost seat (not_found) or trouble that passes is a reason to refuse",
    "repeat-is-known": "only one answer to a client_id says that it is new",
    "conflict": "another content under a used client_id is a conflict",
    "refused-is-not-told": "what was only refused so far is shown to nobody",
    "receipts-grow": "a receipt never goes back, nor past the log's end, nor stays behind what was marked",
    "last-word": "a driver who lost the seat hears `unassigned` as the booking's last event, and is refused from then on",
    "not-vacuous": "enough was said, asked, answered and broken for a verdict to mean something",
}


class Verdict:
    def __init__(self):
        self.broken = defaultdict(list)
        self.counts = Counter()

    def hold(self, rule, fact, *example):
        assert rule in RULES, rule
        if not fact:
            self.broken[rule].append(" ".join(str(part) for part in example))
