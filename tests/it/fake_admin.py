"""fake_admin - an admin API that says whatever a test wants: many streams, names that would steer a
terminal, answers that are none. Whether the real one is understood is tested against the real one."""
import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MIB = 1024 * 1024
LIMIT = 4 * MIB


def stream(number, name=None):
    """Number 0 holds most, and so on down; every tenth is blocked."""
    target = name or f"leaf{number:04d}"
    held = max(0, LIMIT - number * 1024)
    granted = LIMIT - held
    return {"id": f"{target}/counters", "target": target, "subscription": "counters", "worker": number % 2,
            "state": "HELD" if number % 10 == 0 else "FLOWING", "synced": True, "epoch": 1,
            "limit_bytes": LIMIT, "granted_bytes": granted, "held_bytes": held, "assembling_bytes": 0,
            "pending_bytes": 0, "free_bytes": 0, "blocked": number % 10 == 0, "blocked_s": number / 10,
            "limited": "", "stalled": False, "stale": False, "messages": number, "message_bytes": number * 100,
            "received": number * 1000, "published": number * 999, "filtered": 0, "dropped": 0,
            "held": number, "lag_s": 0.5, "last_error": None,
            "held_by": [{"sink": "main", "destination": "topic-a", "held": number}] if number % 10 == 0
            else []}


class FakeAdmin:
    """`asked` has the path of each request with its query. `answers` by path: (status, bytes) instead."""

    def __init__(self, lab, port, streams=5000, names=(), token=None):
        self.streams = [stream(number, name) for number, name in
                        [(number, names[number] if number < len(names) else None)
                         for number in range(streams)]]
        self.token, self.asked, self.answers = token, [], {}
        self.largest = 0
        self.started = time.monotonic()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_words):
                pass

            def reply(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else b""
                fake.asked.append((self.command, self.path, body.decode()))
                if fake.token and self.headers.get("Authorization") != f"Bearer {fake.token}":
                    status, answer = 401, {"error": {"code": "unauthenticated", "message": "a token is due"}}
                else:
                    status, answer = fake.answer(self.path)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                fake.largest = max(fake.largest, len(data))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                try:
                    self.wfile.write(data)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST = reply

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_words: None # who asks may go at any time
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        lab.on_end(self.end)

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path):
        place, _, query = path.partition("?")
        place = place.removeprefix("/api/v1")
        words = dict(urllib.parse.parse_qsl(query))
        if place in self.answers:
            return self.answers[place]
        if place == "/status":
            return 200, self.status()
        if place == "/streams":
            return 200, self.some_streams(words)
        if place == "/sinks":
            return 200, {"sinks": [{"name": "main", "type": "kafka", "worker": 0, "required": True,
                                    "taking": False, "in_flight": 7, "queued_bytes": 3 * MIB,
                                    "report_latency_s": 0.25, "oldest_s": 12, "retries": 1, "restarts": 0,
                                    "troubles": [{"reason": "topic-missing", "count": 3, "now": True}]}]}
        if place == "/events":
            return 200, {"next": 3, "events": [
                {"n": n, "at": f"2026-11-22T00:00:0{n}.000Z", "level": "info", "msg": f"decision {n}",
                 "fields": {"target": "leaf0001"}} for n in (1, 2, 3) if n > int(words.get("after", 0))]}
        if place.startswith("/targets/"):
            name = urllib.parse.unquote(place.removeprefix("/targets/"))
            rows = [row for row in self.streams if row["target"] == name]
            if rows:
                return 200, {"name": name, "address": "192.0.2.1:57400", "state": "READY", "vendor": "nokia",
                             "labels": {"site": "ams"}, "streams": rows}
        return 404, {"error": {"code": "not-found", "message": "there is no such thing"}}

    def status(self):
        blocked = sum(row["blocked"] for row in self.streams)
        return {"collector": "fake", "version": "0", "started": "2026-11-22T00:00:00.000Z",
                "uptime_s": time.monotonic() - self.started, "pid": 1, "generation": 1, "ready": True,
                "not_ready": [], "memory": {"limit_bytes": 256 * MIB, "held_bytes": 12 * MIB,
                                            "promised_bytes": 100 * MIB},
                "totals": {"targets": len(self.streams), "targets_up": len(self.streams),
                           "streams": len(self.streams), "streams_synced": len(self.streams),
                           "streams_blocked": blocked, "streams_held": blocked,
                           "received": int((time.monotonic() - self.started) * 1000), "published": 1,
                           "filtered": 0, "dropped": 0, "held": 9},
                "reload": None, "discovery": {"sources": 0, "failing": []}}

    def some_streams(self, words):
        rows = [row for row in self.streams if words.get("q", "").lower() in row["id"].lower()]
        if words.get("sort"):
            rows.sort(key=lambda row: row[words["sort"]], reverse=words.get("order") == "desc")
        first = int(words.get("offset", 0))
        return {"total": len(rows), "streams": rows[first:first + int(words.get("limit", 500))]}
