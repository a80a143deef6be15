#!/usr/bin/python3
"""A Curbline client in plain python-socketio: join a booking, say something, print what is heard.

Needs Debian's python3-socketio with python3-websocket (or python3-requests, for long-polling):

    python3 client.py                        the demo's customer, on http://localhost:5000
    python3 client.py --text "Where are you?" --listen 30
    python3 client.py --url … --token … --booking …
"""

import argparse
import json
import os
import sys
import urllib.request
import uuid

import socketio


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", default=os.environ.get("CHAT_URL", "http://localhost:5000"))
    parser.add_argument("--token", default=os.environ.get("CHAT_TOKEN"))
    parser.add_argument("--booking", default=os.environ.get("CHAT_BOOKING"))
    parser.add_argument("--text", default="Hello from Python")
    parser.add_argument("--listen", type=float, default=5, help="seconds to listen before leaving")
    parser.add_argument("--transport", choices=["websocket", "polling"], help="default: the best that works")
    return parser.parse_args()


def demo(url):
    """In development the server plays the host's backend: it has a booking and hands out tokens."""
    with urllib.request.urlopen(f"{url}/demo/session", timeout=10) as answer:
        session = json.load(answer)
    return session["customer"]["token"], session["booking_id"]


def say(line):
    # Events are told by another thread: one write keeps a line whole.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def show(what, payload):
    say(f"{what} {json.dumps(payload, ensure_ascii=False)}")


def answered(answer):
    """Every command is answered with one object: {"data": …} or {"error": …}."""
    if "error" in answer:
        raise SystemExit(f"{answer['error']['code']}: {answer['error']['message']}")
    return answer["data"]


def main():
    options = arguments()
    token, booking_id = options.token, options.booking
    if token is None or booking_id is None:
        demo_token, demo_booking = demo(options.url)
        token, booking_id = token or demo_token, booking_id or demo_booking

    chat = socketio.Client()
    chat.on("*", show)  # every event is a name and one object
    chat.on("connect_error", lambda error: show("connect_error", error))
    transports = [options.transport] if options.transport else None
    chat.connect(options.url, auth={"token": token, "type": "python"}, transports=transports)

    try:
        talk(chat, booking_id, options)
    finally:
        # Its threads would keep the process alive.
        chat.disconnect()


def talk(chat, booking_id, options):
    joined = answered(chat.call("booking.join", {"booking_id": booking_id}))
    say(f"joined, the other one is {joined['user_detail']['name']}")

    message = {
        "booking_id": booking_id,
        # Ours: sent again after a lost answer, the message is still stored once.
        "client_id": str(uuid.uuid4()),
        "kind": "text",
        "body": {"text": options.text},
    }
    sent = answered(chat.call("message.send", message))
    say(f"stored as {sent['message']['seq']}")
    chat.sleep(options.listen)


if __name__ == "__main__":
    main()
