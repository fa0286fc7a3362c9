"""A web server on this machine that gives out files as model hosts do, with their troubles."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Host:
    """What the server has and how it behaves; tests change it while it runs.

    Attributes
    ----------
    files
        Path to content.
    tags
        Path to ETag; a path without one gets none.
    break_off_after
        Numbers of bytes after which the next answers end, one each.
    ranges
        Whether ranges are understood.
    answers
        Status codes of the next answers in place of the files.
    redirects
        Path to (path, headers).
    kind
        Path to Content-Type.
    asked
        The Range headers of all requests so far, None for none.
    """

    def __init__(self):
        self.files, self.tags, self.redirects, self.kind = {}, {}, {}, {}
        self.break_off_after, self.answers, self.asked = [], [], []
        self.ranges = True
        self.address = ""


def handler(host):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            host.asked.append(self.headers.get("Range"))
            if host.answers:
                self.send_error(host.answers.pop(0))
            elif self.path in host.redirects:
                to, headers = host.redirects[self.path]
                self.send_response(302)
                for name, value in {"Location": to, "Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
            elif self.path.partition("?")[0] not in host.files:
                self.send_error(404)
            else:
                self.give(self.path.partition("?")[0])

        def give(self, path):
            content, tag, start = host.files[path], host.tags.get(path), 0
            asked = self.headers.get("Range")
            fresh = tag is None or self.headers.get("If-Range", tag) == tag
            if asked and host.ranges and fresh:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(content) - start))
            if tag:
                self.send_header("ETag", tag)
            self.send_header("Content-Type", host.kind.get(path, "application/octet-stream"))
            self.end_headers()
            end = start + host.break_off_after.pop(0) if host.break_off_after else len(content)
            self.wfile.write(content[start:end])

    return Handler


@contextmanager
def serving():
    """Run a host on a free port of the loopback address."""
    host = Host()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(host)) as server:
        host.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield host
        server.shutdown()
        thread.join()
