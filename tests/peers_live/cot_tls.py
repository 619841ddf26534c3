"""Cursor on Target over TLS against Python's own TLS server: certificates on both sides, a foreign authority, reconnection."""

import contextlib
import datetime
import json
import socket
import ssl
import subprocess
import threading
import time

PATIENCE_S = 30
TRUSTED, STRANGER = "ANDROID-3c1f", "ANDROID-0000"


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_authority(folder, name):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(folder, "req", "-x509", *key, "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")


def make_certificate(folder, authority, name):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(folder, "req", "-new", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    (folder / "extension").write_text("subjectAltName=IP:127.0.0.1\n")
    signed_by = ["-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial"]
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signed_by, "-days", "2", "-extfile", "extension", "-out", f"{name}.pem")


class Server:
    """A TAK server over TLS that lets in whom its authority knows, and tells everybody where a patrol is."""

    def __init__(self, folder, certificate, port=0):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / f"{certificate}.pem", folder / f"{certificate}.key")
        self.context.load_verify_locations(folder / "authority.pem")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.listener = socket.create_server(("127.0.0.1", port), reuse_port=True)
        self.port = self.listener.getsockname()[1]
        self.names, self.refusals, self.received, self.connections = [], [], bytearray(), []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        try:
            connection = self.context.wrap_socket(plain, server_side=True)
            # The first bytes show that the other side accepts this server's certificate too.
            connection.sendall(b"\n")
        except OSError as error:
            self.refusals.append(str(error))
            return
        subject = dict(part for parts in connection.getpeercert()["subject"] for part in parts)
        self.names.append(subject["commonName"])
        self.connections.append(connection)
        try:
            while part := connection.recv(65_536):
                self.received.extend(part)
        except OSError:
            pass
        finally:
            connection.close()

    def say(self, uid):
        stamp = datetime.datetime.now(datetime.timezone.utc)
        stale = stamp + datetime.timedelta(seconds=60)
        text = (
            f'<event version="2.0" uid="{uid}" type="a-f-G-U-C" how="m-g" time="{stamp:%Y-%m-%dT%H:%M:%S.%fZ}" '
            f'start="{stamp:%Y-%m-%dT%H:%M:%S.%fZ}" stale="{stale:%Y-%m-%dT%H:%M:%S.%fZ}"><point lat="54.94" lon="23.95" '
            'hae="0" ce="5" le="9999999"/><detail><contact callsign="Wolf 3"/></detail></event>'
        )
        for connection in list(self.connections):
            try:
                connection.sendall(text.encode())
            except OSError:
                self.connections.remove(connection)

    def close(self):
        # Ends the accept that waits, too.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            # The thread that reads it closes it: a number closed here could be another file's before that thread knows.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def configuration(port, client):
    proof = f', cert_file = "{client}.pem", key_file = "{client}.key"' if client else ""
    peer = f'{{ host = "127.0.0.1", port = {port}, tls = {{ ca_file = "authority.pem"{proof} }} }}'
    return f"""
[site]
id = "tls"
origin = {{ lat = 54.93, lon = 23.95 }}

[[sensor]]
id = "mast"
kind = "radar"
position = {{ east_m = 0.0, north_m = 0.0 }}
coverage = {{ shape = "circle", radius_m = 300.0 }}

[[unit]]
id = "patrol-3"
aliases = ["{TRUSTED}", "Wolf 3"]

[[source.cot]]
name = "patrols"
from = {peer}
trust = ["{TRUSTED}"]

[[sink.cot]]
name = "tak"
to = {peer}
sensors_interval_s = 1.0

[store]
file = "store.sqlite"

[status]
socket = "vedette.sock"
"""


class Gateway:
    """vedette with this configuration, for as long as the block lasts."""

    def __init__(self, binary, folder, port, client):
        self.binary, self.folder = binary, folder
        (folder / "gateway.toml").write_text(configuration(port, client))

    def __enter__(self):
        with open(self.folder / "vedette.log", "ab") as log:
            command = [self.binary, "run", "--config", self.folder / "gateway.toml"]
            self.process = subprocess.Popen(command, stderr=log)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def status(self):
        command = [self.binary, "status", "--json", "--socket", self.folder / "vedette.sock"]
        answer = subprocess.run(command, capture_output=True)
        return json.loads(answer.stdout) if answer.returncode == 0 else None

    def positions(self):
        status = self.status()
        return status["engine"]["counters"].get("own_positions", 0) if status else 0

    def troubles(self):
        status = self.status()
        links = [status["sources"].get("patrols", {}), status["sinks"].get("tak", {})] if status else []
        return [link["trouble"] for link in links if link.get("trouble")]


def wait_for(what, found):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if answer := found():
            print(f"ok   {what}", flush=True)
            return answer
        time.sleep(0.2)
    raise SystemExit(f"FAIL {what}: not within {PATIENCE_S} s")


def check(binary, folder):
    folder.mkdir()
    for name in ("authority", "foreign"):
        make_authority(folder, name)
    for authority, name in [("authority", "server"), ("authority", "gate-1"), ("foreign", "impostor"), ("foreign", "thief")]:
        make_certificate(folder, authority, name)

    server = Server(folder, "server")
    with Gateway(binary, folder, server.port, "gate-1") as gateway:
        wait_for("over TLS source and sink show the gateway's certificate", lambda: server.names.count("gate-1") >= 2)
        wait_for("sensors come over TLS", lambda: b'uid="tls.sensor.mast"' in server.received)

        def heard(server, more_than):
            server.say(TRUSTED)
            return gateway.positions() > more_than

        wait_for("a trusted unit's position comes over TLS", lambda: heard(server, 0))
        before = gateway.positions()
        for _ in range(5):
            server.say(STRANGER)
        wait_for("a stranger with a trusted callsign is counted", lambda: "untrusted" in json.dumps(gateway.status()))
        if gateway.positions() != before:
            raise SystemExit("FAIL a stranger placed an own unit")
        server.close()
        wait_for("a server that is gone is told", lambda: len(gateway.troubles()) == 2)
        server = Server(folder, "server", server.port)
        wait_for("both connect again", lambda: server.names.count("gate-1") >= 2)
        wait_for("and hear again", lambda: heard(server, before))
        server.close()

        impostor = Server(folder, "impostor", server.port)
        refused = lambda: impostor.refusals and all("certificate" in trouble for trouble in gateway.troubles() or [""])
        wait_for("a server of a foreign authority is refused, and why is told", refused)
        impostor.say(TRUSTED)
        if impostor.names or impostor.received:
            raise SystemExit(f"FAIL something was said to an impostor: {bytes(impostor.received)[:200]}")
        impostor.close()

    for client, what in [("thief", "a certificate of a foreign authority"), (None, "no certificate")]:
        server = Server(folder, "server")
        with Gateway(binary, folder, server.port, client) as gateway:
            wait_for(f"with {what} nobody is let in", lambda: server.refusals and gateway.troubles())
            if server.names:
                raise SystemExit(f"FAIL let in with {what}")
        server.close()
