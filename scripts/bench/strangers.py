#!/usr/bin/env python3
"""Memory of the service while clients without credentials attack it, and what its own clients get meanwhile.

    scripts/bench/strangers.py target/debug/scv-bridge

Each attack gets a service of its own, on loopback, and ends after some seconds.
"""

import base64
import hashlib
import json
import pathlib
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

SECRET = "s3cret-of-the-flow"
CONFIGURATION = """
[server]
listen = "127.0.0.1:{public}"
[operations]
listen = "127.0.0.1:{operations}"
[store]
url = "sqlite:bridge.db"
[logs]
level = "warn"
[webex]
webhook_secrets = ["0123456789012345678901234567890123456789"]
[[clients]]
id = "webex-flow"
secret_sha256 = "{digest}"
call_centers = ["*"]
[certificates.WebexCCSCV]
certificate = "WebexCCSCV.crt"
private_key = "WebexCCSCV.key"
[call_centers.WxCCContactCenterSCV]
api = "telephony"
certificate = "WebexCCSCV"
org_id = "00D000000000001EAA"
telephony_url = "http://127.0.0.1:9/telephony/v1"
"""


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Service:
    def __init__(self, binary, folder, limit=None):
        self.public, self.operations = free_port(), free_port()
        digest = hashlib.sha256(SECRET.encode()).hexdigest()
        text = CONFIGURATION.format(public=self.public, operations=self.operations, digest=digest)
        (folder / "bridge.toml").write_text(text)
        if not (folder / "WebexCCSCV.key").exists():
            made = [binary, "certificate", "new", "WebexCCSCV", "--out-dir", "."]
            subprocess.run(made, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        command = [binary, "serve", "--config", "bridge.toml"]
        if limit:
            command = ["sh", "-c", f'ulimit -n {limit}; exec "$0" "$@"', *command]
        self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        for _ in range(300):
            if self.probe(self.operations) == 200:
                break
            time.sleep(0.05)
        self.before = self.memory("VmRSS")

    def memory(self, name):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name)) // 1024

    def probe(self, port):
        return answered(f"http://127.0.0.1:{port}/livez")

    def client(self):
        names = {"callCenterDevName": "WxCCContactCenterSCV", "vendorCallKey": "wxcc_1", "agentId": "7d6a"}
        credentials = base64.b64encode(f"webex-flow:{SECRET}".encode()).decode()
        headers = {"authorization": f"Basic {credentials}", "content-type": "application/json"}
        url = f"http://127.0.0.1:{self.public}/voice/v1/agentAnswered"
        return answered(url, json.dumps(names).encode(), headers)

    def watch(self, seconds):
        """What the client, a probe of the listener and one of the operations listener are answered."""
        answers, end = {}, time.time() + seconds
        while time.time() < end:
            three = (self.client(), self.probe(self.public), self.probe(self.operations))
            answers[three] = answers.get(three, 0) + 1
            time.sleep(0.05)
        return answers

    def end(self, attack, answers):
        print(f"{attack}: {self.before} MB before, {self.memory('VmHWM')} MB at most; answered {answers}", flush=True)
        self.process.terminate()
        self.process.wait()


def answered(url, body=None, headers=None):
    try:
        request = urllib.request.Request(url, body, headers or {})
        return urllib.request.urlopen(request, timeout=3).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return type(error).__name__


def take_no_answers(port, request, seconds):
    """Sends requests for so long and reads nothing."""
    end, many = time.time() + seconds, request * (65536 // len(request))
    with socket.socket() as stream:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stream.connect(("127.0.0.1", port))
        stream.settimeout(0.5)
        while time.time() < end:
            try:
                stream.send(many)
            except TimeoutError:
                pass
            except OSError:
                return


def silent(port, count, said=b""):
    streams = []
    for _ in range(count):
        stream = socket.create_connection(("127.0.0.1", port), timeout=2)
        stream.send(said)
        streams.append(stream)
    return streams


def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 20000), most))
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        attack(binary, pathlib.Path(folder))


def attack(binary, folder):
    for listener, line in [("public", "GET /livez"), ("public", "POST /voice/v1/createVoiceCall"), ("operations", "GET /metrics")]:
        service = Service(binary, folder)
        request = f"{line} HTTP/1.1\r\nhost:x\r\n\r\n".encode()
        what = (getattr(service, listener), request, 10)
        threads = [threading.Thread(target=take_no_answers, args=what) for _ in range(60)]
        for thread in threads:
            thread.start()
        answers = service.watch(9)
        for thread in threads:
            thread.join()
        service.end(f"60 connections with {line} that take no answers", answers)
    for path in ["/webhooks/wxcc", "/oauth2/token"]:
        service = Service(binary, folder)
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
        streams = silent(service.public, 2200, head.encode())
        service.end(f"2200 bodies that do not come to {path}", service.watch(6))
        del streams
    service = Service(binary, folder, 1024)
    streams = silent(service.public, 1100)
    service.end("1100 silent connections at ulimit -n 1024", service.watch(6))
    del streams


main()
