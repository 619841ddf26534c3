"""The checks themselves; started by run.py inside the virtual environment: checks.py BIN FOLDER."""

import asyncio
import base64
import contextlib
import datetime
import json
import math
import os
import pathlib
import pty
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import tty
import xml.etree.ElementTree as ElementTree

import paho.mqtt.client as mqtt
import takproto
from chirpstack_api import integration
from google.protobuf import json_format
from meshtastic.protobuf import mesh_pb2, mqtt_pb2, portnums_pb2
from onvif_m import BoundingBox, ClassCandidate, DetectedObject, build_frame, build_payload
from onvif_m.publish import FrameRef, MqttPublisher

import cot_tls
import sapient

PATIENCE_S = 30
ORIGIN = (54.93, 23.95)
METRES_PER_DEGREE = 111_320.0
MAST = "7ee406ee-6291-4612-9a9e-1796a333f0a3"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def wait_for(what, found):
    """The first truthy answer of `found`, or the end of the run."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        answer = found()
        if answer:
            print(f"ok   {what}", flush=True)
            return answer
        time.sleep(0.1)
    raise SystemExit(f"FAIL {what}: not within {PATIENCE_S} s")


def north_of_origin(metres):
    return ORIGIN[0] + metres / METRES_PER_DEGREE


class Pty:
    """A serial line whose other end is this program."""

    def __init__(self):
        self.fd, other = pty.openpty()
        tty.setraw(self.fd)
        self.name = os.ttyname(other)
        self.read = bytearray()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                self.read.extend(os.read(self.fd, 4096))
            except OSError:
                time.sleep(0.1)

    def write(self, data):
        os.write(self.fd, data)


class Daemon:
    """vedette with a configuration, and what its status says."""

    def __init__(self, folder, binary, configuration):
        self.folder, self.binary = folder, binary
        path = folder / "gateway.toml"
        path.write_text(configuration)
        self.config = path
        subprocess.run([binary, "check", path], check=True)
        self.log = open(folder / "vedette.log", "wb")
        self.process = subprocess.Popen([binary, "run", "--config", path], stderr=self.log)

    def status(self):
        command = [self.binary, "status", "--json", "--socket", self.folder / "vedette.sock"]
        answer = subprocess.run(command, capture_output=True)
        return json.loads(answer.stdout) if answer.returncode == 0 else None

    def sensor(self, name):
        status = self.status()
        return next((sensor for sensor in status["engine"]["sensors"] if sensor["id"] == name), None) if status else None

    def plots(self, name):
        sensor = self.sensor(name)
        return sensor["plots"] if sensor else 0

    def counter(self, name):
        status = self.status()
        return status["engine"]["counters"].get(name, 0) if status else 0

    def is_up(self, name):
        status = self.status()
        return bool(status) and {**status["sources"], **status["sinks"]}.get(name, {}).get("up", False)


def configuration(folder, ports, mesh, gnss, middleware, receiver):
    lat, lon = ORIGIN
    return f"""
[site]
id = "live"
origin = {{ lat = {lat}, lon = {lon} }}

[[sensor]]
id = "radar-1"
kind = "radar"
position = {{ east_m = 0.0, north_m = -200.0 }}
coverage = {{ shape = "circle", radius_m = 1000.0 }}
position_sd_m = 2.0

[[sensor]]
id = "cam-1"
kind = "camera"
aliases = ["profile-1"]
position = {{ east_m = 500.0, north_m = 0.0 }}
coverage = {{ shape = "sector", range_m = 200.0, heading_deg = 90.0, width_deg = 60.0 }}

[[sensor]]
id = "pir-lora"
kind = "pir"
aliases = ["0101010101010101"]
uplink = {{ detection = "motion", battery_v = "batV" }}
position = {{ east_m = 600.0, north_m = 600.0 }}

[[sensor]]
id = "pir-433"
kind = "pir"
aliases = ["Generic-Motion:800a2"]
position = {{ east_m = 700.0, north_m = 600.0 }}

[[sensor]]
id = "pir-mesh"
kind = "pir"
aliases = ["!433d1a2c"]
position = {{ east_m = 800.0, north_m = 600.0 }}

[[sensor]]
id = "pir-mesh-mqtt"
kind = "pir"
aliases = ["!433d1a2d"]
position = {{ east_m = 850.0, north_m = 600.0 }}

[[sensor]]
id = "KR01"
kind = "rf"
position = {{ east_m = 900.0, north_m = 600.0 }}

[[sensor]]
id = "mast"
kind = "radar"
aliases = ["{MAST}"]
position = {{ east_m = 0.0, north_m = 900.0 }}
coverage = {{ shape = "circle", radius_m = 300.0 }}

[[zone]]
name = "border"
kind = "border"
line_m = [[-500.0, 0.0], [500.0, 0.0]]

[[unit]]
id = "patrol-3"
aliases = ["ANDROID-3c1f"]

[[source.mqtt]]
name = "native"
broker = {{ host = "127.0.0.1", port = {ports["mqtt"]} }}

[[source.mqtt]]
name = "cameras"
broker = {{ host = "127.0.0.1", port = {ports["mqtt"]} }}
topics = ["onvif-m/#"]
codec = "onvif"

[[source.mqtt]]
name = "lorawan"
broker = {{ host = "127.0.0.1", port = {ports["mqtt"]} }}
topics = ["application/+/device/+/event/up"]
codec = "chirpstack"

[[source.mqtt]]
name = "mesh-mqtt"
broker = {{ host = "127.0.0.1", port = {ports["mqtt"]} }}
topics = ["msh/+/2/e/#"]
codec = "meshtastic_protobuf"

[[source.meshtastic]]
name = "mesh"
device = "{mesh.name}"
heartbeat_s = 1.0

[[source.gnss]]
name = "receiver"
device = "{gnss.name}"

[[source.gnss]]
name = "gpsd"
gpsd = {{ host = "127.0.0.1", port = {ports["gpsd"]} }}

[[source.file]]
name = "rtl433"
path = "rtl_433.jsonl"
codec = "rtl_433"

[[source.file]]
name = "kraken-csv"
path = "kraken.csv"
codec = "kraken_csv"

[[source.http]]
name = "kraken"
listen = "127.0.0.1:{ports["http"]}"
codec = "kraken"

[[source.cot]]
name = "patrols"
from = {{ host = "127.0.0.1", port = {ports["tak"]} }}
trust = ["ANDROID-3c1f"]

[[source.sapient]]
name = "nodes"
from = {{ host = "127.0.0.1", port = {middleware.port} }}
node_id = "c767ffbe-60b5-4197-b99e-7411988f00ee"

[[sink.cot]]
name = "tak"
to = {{ host = "127.0.0.1", port = {ports["tak"]} }}
sensors_interval_s = 2.0

[[sink.sapient]]
name = "decision"
to = {{ host = "127.0.0.1", port = {receiver.port} }}
node_id = "0a43a7e2-f61f-495f-8304-f3c72d559ae7"
may_acknowledge = true

[store]
file = "store.sqlite"

[status]
socket = "vedette.sock"
"""


def start(folder, name, command):
    log = open(folder / f"{name}.log", "wb")
    return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)


def connects(port):
    def tried():
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    return tried


def client(port):
    connected = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    connected.connect("127.0.0.1", port)
    connected.loop_start()
    return connected


def check_onvif(daemon, ports):
    publisher = MqttPublisher(host="127.0.0.1", port=ports["mqtt"], topic_prefix="onvif-m")
    box = BoundingBox(left=-0.1, top=0.2, right=0.1, bottom=-0.4)

    def published():
        seen = DetectedObject(object_id=7, bbox=box, classes=[ClassCandidate("Human", 0.9)])
        reference = FrameRef(camera_id="cam", timestamp=now(), profile_token="profile-1", module_name="detector")
        publisher.publish(build_payload([build_frame(now(), "cam", [seen])]), reference)
        return daemon.plots("cam-1") >= 2

    wait_for("onvif-m-producer's frames are bearings of a camera", published)
    publisher.close()


def check_chirpstack(daemon, broker):
    event = integration.UplinkEvent(deduplication_id="3ac7e3c4-4401-4b8d-9386-a5c902f9202d", f_port=1, data=b"\xaa")
    event.device_info.dev_eui = "0101010101010101"
    event.device_info.device_name = "pir"
    event.time.GetCurrentTime()
    event.object.update({"motion": True, "batV": 3.1})
    event.rx_info.add(gateway_id="0016c001f153a14c", rssi=-36, snr=10.5)
    text = json_format.MessageToJson(event)
    for _ in range(3):
        broker.publish("application/a/device/0101010101010101/event/up", text, qos=1)
    wait_for("chirpstack-api's uplink is a presence", lambda: daemon.plots("pir-lora") == 1)
    wait_for("its battery is read", lambda: daemon.sensor("pir-lora")["battery_mv"] == 3100)
    wait_for("its repeats are dropped", lambda: daemon.counter('faults{reason="duplicate"}') >= 2)


def check_rtl_433(daemon, folder):
    # The decoder wants the code three times. A code line has no time of day: the gateway takes the time of reception.
    command = ["rtl_433", "-M", "time:rel", "-F", "json", "-y", "{20}800a2/{20}800a2/{20}800a2"]
    output = subprocess.run(command, capture_output=True, text=True).stdout
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not any('"Generic-Motion"' in line for line in lines):
        raise SystemExit(f"FAIL rtl_433 decoded no motion detector: {output!r}")
    with open(folder / "rtl_433.jsonl", "a") as file:
        file.writelines(line + "\n" for line in lines)
    wait_for("rtl_433's decoded code line is a presence", lambda: daemon.plots("pir-433") == 1)


def mesh_packet(sender, number):
    packet = mesh_pb2.MeshPacket(to=0xFFFFFFFF, id=number, rx_time=int(time.time()), rx_snr=7.25, rx_rssi=-92)
    setattr(packet, "from", sender)
    packet.decoded.portnum = portnums_pb2.PortNum.DETECTION_SENSOR_APP
    packet.decoded.payload = b"PIR-N3 detected\x07"
    return packet


def to_radio(data):
    """What the daemon said on the line, as the package parses it."""
    at, said = 0, []
    while (at := data.find(b"\x94\xc3", at)) >= 0 and at + 4 <= len(data):
        length = struct.unpack(">H", data[at + 2 : at + 4])[0]
        said.append(mesh_pb2.ToRadio.FromString(bytes(data[at + 4 : at + 4 + length])))
        at += 4 + length
    return said


def check_meshtastic(daemon, mesh, broker):
    def asked():
        return any(said.want_config_id for said in to_radio(mesh.read))

    wait_for("a node's client asks for the configuration", asked)
    wait_for("and shows signs of life", lambda: sum(said.HasField("heartbeat") for said in to_radio(mesh.read)) >= 2)
    frame = mesh_pb2.FromRadio(id=1, packet=mesh_packet(0x433D1A2C, 305441741)).SerializeToString()
    framed = b"\x94\xc3" + struct.pack(">H", len(frame)) + frame
    mesh.write(b"DEBUG | boot noise\r\n" + framed[:11] + framed + framed)
    wait_for("a frame among noise and a cut one is a presence", lambda: daemon.plots("pir-mesh") == 1)
    before = len(to_radio(mesh.read))
    rebooted = mesh_pb2.FromRadio(id=2, rebooted=True).SerializeToString()
    mesh.write(b"\x94\xc3" + struct.pack(">H", len(rebooted)) + rebooted)
    wait_for(
        "after a restart it asks again", lambda: any(said.want_config_id for said in to_radio(mesh.read)[before:])
    )
    envelope = mqtt_pb2.ServiceEnvelope(packet=mesh_packet(0x433D1A2D, 99), channel_id="LongFast", gateway_id="!433d1a2d")
    broker.publish("msh/EU_868/2/e/LongFast/!433d1a2d", envelope.SerializeToString(), qos=1)
    wait_for("an envelope of the broker is a presence", lambda: daemon.plots("pir-mesh-mqtt") == 1)


def nmea(body):
    checksum = 0
    for byte in body.encode():
        checksum ^= byte
    return f"${body}*{checksum:02X}\r\n"


def fix_sentences(at):
    clock, date = at.strftime("%H%M%S.00"), at.strftime("%d%m%y")
    return (
        nmea(f"GPGGA,{clock},5455.8000,N,02357.0000,E,1,09,0.9,102.3,M,27.1,M,,")
        + nmea(f"GPRMC,{clock},A,5455.8000,N,02357.0000,E,0.02,77.5,{date},,,A")
        + nmea(f"GPGST,{clock},6.2,4.1,3.0,12.0,3.2,3.6,7.9")
    )


class Gpsd:
    """gpsd, fed by gpsfake with a log of five minutes at a place of its own."""

    def __init__(self, folder, port):
        start_of_log = now() - datetime.timedelta(seconds=300)
        seconds = [start_of_log + datetime.timedelta(seconds=second) for second in range(300)]
        log = "".join(fix_sentences(second).replace("5455.8000", "5430.0000") for second in seconds)
        (folder / "gateway.nmea").write_text("".join(nmea(line[1:].split("*")[0]) for line in log.splitlines()))
        self.folder, self.port = folder, port
        self._start()

    def _start(self):
        command = ["gpsfake", "-n", "-q", "-c", "0.3", "-P", str(self.port), self.folder / "gateway.nmea"]
        # In a session of its own: gpsfake leaves its gpsd behind when it is told to end.
        log = open(self.folder / "gpsfake.log", "ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True)

    def terminate(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()

    def has_a_fix(self, patience_s=5):
        """Whether a client that asks as its manual says is told one."""
        end = time.monotonic() + patience_s
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as client:
            client.sendall(b'?WATCH={"enable":true,"json":true};\n')
            client.settimeout(patience_s)
            for line in client.makefile():
                report = json.loads(line)
                if report["class"] == "TPV" and report["mode"] >= 2:
                    return True
                if time.monotonic() > end:
                    break
        return False

    def ensure_fix(self):
        """gpsfake was seen once to feed its gpsd nothing: the daemon is judged by what gpsd tells."""
        for _ in range(3):
            if self.has_a_fix():
                return
            print("note gpsd tells no fix to any client; it is started again", flush=True)
            self.terminate()
            self._start()
            wait_for("gpsd answers again", connects(self.port))
        raise SystemExit("FAIL gpsd has no fix to tell")


def check_gnss(daemon, gnss, gpsd):
    def placed():
        gnss.write(fix_sentences(now()).encode())
        heard = (daemon.status() or {}).get("gnss")
        return heard and heard["fix"]["place"] and abs(heard["fix"]["place"]["lat"] - 54.93) < 1e-6

    wait_for("a receiver's sentences are time and place", placed)
    gpsd.ensure_fix()
    wait_for("gpsd is connected", lambda: daemon.is_up("gpsd"))

    def told():
        heard = (daemon.status() or {}).get("gnss")
        place = heard and heard["fix"]["place"]
        return place and abs(place["lat"] - 54.5) < 1e-3

    wait_for("gpsd with gpsfake tells time and place", told)


def check_kraken(daemon, folder, ports):
    stamp = int(time.time() * 1000)
    row = f"{stamp}, 270, 8.31, -29.4, 394314000, UCA, 412, KR01, 54.93, 23.95, 12.0, 12.0, GPS, R, R, R, R, 0.00\n"
    with open(folder / "kraken.csv", "a") as file:
        file.write(row[:20])
        file.flush()
        time.sleep(0.4)
        file.write(row[20:])
    wait_for("a line of a direction finder's file is a bearing", lambda: daemon.plots("KR01") == 1)
    body = json.dumps({"station_id": "KR01", "tStamp": stamp + 900, "gpsBearing": "12.0", "radioBearing": "90"}).encode()
    request = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    with socket.create_connection(("127.0.0.1", ports["http"])) as connection:
        connection.sendall(request)
        answer = connection.recv(1000)
    if not answer.startswith(b"HTTP/1.1 204"):
        raise SystemExit(f"FAIL a post was answered {answer!r}")
    wait_for("a post of it too", lambda: daemon.plots("KR01") == 2)


class Tak:
    """A client of the CoT server: says where it is, and hears what the others say."""

    def __init__(self, port):
        self.events = []
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.say("a-f-G-U-C")
        threading.Thread(target=self._listen, daemon=True).start()

    def say(self, kind):
        stamp, stale = now(), now() + datetime.timedelta(seconds=60)
        text = (
            f'<event version="2.0" uid="ANDROID-3c1f" type="{kind}" how="m-g" time="{stamp:%Y-%m-%dT%H:%M:%S.%fZ}" '
            f'start="{stamp:%Y-%m-%dT%H:%M:%S.%fZ}" stale="{stale:%Y-%m-%dT%H:%M:%S.%fZ}">'
            f'<point lat="54.94" lon="23.95" hae="0" ce="5" le="9999999"/><detail><contact callsign="Wolf 3" '
            'endpoint="*:-1:stcp"/><takv os="29" version="4.0" device="x" platform="ATAK"/>'
            '<__group role="Team Member" name="Cyan"/></detail></event>'
        )
        self.connection.sendall(text.encode())

    def _listen(self):
        buffer = b""
        while part := self.connection.recv(65_536):
            buffer += part
            while (end := buffer.find(b"</event>")) >= 0:
                text, buffer = buffer[: end + 8], buffer[end + 8 :]
                self.events.append(ElementTree.fromstring(text[text.find(b"<event") :]))

    def of(self, kind):
        return [event for event in list(self.events) if event.get("type") == kind]


def check_cot(daemon, ports):
    tak = Tak(ports["tak"])

    def heard():
        tak.say("a-f-G-U-C")
        return daemon.counter("own_positions") > 0

    wait_for("a patrol's position comes through taky", heard)
    return tak


def check_takproto(tak):
    """takproto reads our events, writes them in its own form and gives them back."""
    event = tak.of("a-u-G")[-1]
    text = ElementTree.tostring(event)
    message = takproto.xml2proto(text) if hasattr(takproto, "xml2proto") else None
    parsed = takproto.parse_proto(takproto.xml2proto(text)) if message is not None else None
    if parsed is None or parsed.cotEvent.uid != event.get("uid"):
        raise SystemExit("FAIL takproto does not give back our event")
    print("ok   takproto gives back our event", flush=True)


def check_pytak(ports):
    """pytak's own receiver takes our events from the server."""
    import pytak
    from configparser import ConfigParser

    config = ConfigParser()
    config["live"] = {"COT_URL": f"tcp://127.0.0.1:{ports['tak']}", "TAK_PROTO": "0"}

    async def first_track():
        reader, _ = await pytak.protocol_factory(config["live"])
        queue = asyncio.Queue()
        worker = asyncio.ensure_future(pytak.RXWorker(queue, config["live"], reader).run())
        try:
            while True:
                data = await asyncio.wait_for(queue.get(), PATIENCE_S)
                if b"live.track." in data:
                    return ElementTree.fromstring(data[data.find(b"<event") :])
        finally:
            worker.cancel()

    event = asyncio.run(first_track())
    if event.find("point") is None or event.find("detail/track") is None:
        raise SystemExit("FAIL pytak received an event without point or track")
    print("ok   pytak receives our tracks through taky", flush=True)


def walk(broker, stop):
    """Somebody walks north over the border at 1.5 m/s, seen by the radar once a second."""
    start = time.monotonic()
    while not stop.is_set():
        north_m = -25.0 + 1.5 * (time.monotonic() - start)
        plot = {"kind": "position", "east_m": 3.0 + 0.3 * math.sin(north_m), "north_m": north_m}
        message = {"v": 1, "sensor": "radar-1", "t": now().isoformat(), "plots": [plot]}
        broker.publish("vedette/v1/live/sensor/radar-1/detections", json.dumps(message), qos=0)
        stop.wait(1.0)


def check_sapient_in(daemon, middleware):
    wait_for("a middleware registers the gateway", lambda: middleware.connection is not None)
    registration = middleware.of("registration")[0]
    if registration.node_definition[0].node_type != 20:
        raise SystemExit("FAIL the gateway does not register as a fusion node")
    wait_for("which reports its status", lambda: middleware.of("status_report"))

    def sent():
        message = middleware.message()
        message.node_id = MAST
        report = message.detection_report
        report.report_id = base64.b32hexencode(os.urandom(16)).decode()[:26]
        report.object_id = "01M7ZSPMDSGSVGEVEWBKAQEY9T"
        report.range_bearing.azimuth, report.range_bearing.range = 90.0, 0.12
        report.range_bearing.coordinate_system, report.range_bearing.datum = 3, 1
        middleware.send(message)
        return daemon.plots("mast") > 0

    wait_for("a node's range and bearing is a plot", sent)
    alert = middleware.message()
    alert.node_id = MAST
    alert.alert.alert_id, alert.alert.status = "01M7ZSPQYF2RAR7H2B1Y92JCVF", 1
    alert.alert.location.x, alert.alert.location.y = ORIGIN[1], north_of_origin(880.0)
    alert.alert.location.coordinate_system, alert.alert.location.datum = 1, 1
    middleware.send(alert)
    wait_for("a node's alert is acknowledged", lambda: any(ack.alert_ack_status == 1 for ack in middleware.of("alert_ack")))


def check_sapient_tasks(*counterparts):
    for counterpart in counterparts:
        task = counterpart.message()
        task.task.task_id = "01M7ZSPQYF2RAR7H2B1Y92JCVG"
        counterpart.send(task)
        refused = lambda: any(ack.task_id == task.task.task_id and ack.task_status == 2 for ack in counterpart.of("task_ack"))
        wait_for("a task is refused", refused)
        if counterpart.faults:
            raise SystemExit(f"FAIL the counterpart objects: {counterpart.faults[:5]}")


def check_sapient_out(daemon, receiver):
    tracks = wait_for("fused tracks are detection reports", lambda: receiver.of("detection_report"))
    report = tracks[-1]
    if abs(report.location.x - ORIGIN[1]) > 0.01 or abs(report.location.y - ORIGIN[0]) > 0.01:
        raise SystemExit(f"FAIL a track is at {report.location}")
    if not report.associated_detection or not report.classification:
        raise SystemExit("FAIL a track without provenance or classes")
    wait_for("alerts too", lambda: receiver.of("alert"))
    wait_for("an acknowledgement of one is an operator's, when that is configured", lambda: any(
        alert.status == 2 for alert in receiver.of("alert")))
    if receiver.faults:
        raise SystemExit(f"FAIL the counterpart objects: {receiver.faults[:5]}")
    print("ok   names and times are as the standard wants them", flush=True)


def check_discover(binary, daemon, broker):
    """A sensor nobody configured, found by its messages."""
    stop = threading.Event()

    def chatter():
        while not stop.wait(0.3):
            event = {"deduplicationId": str(time.time()), "time": now().isoformat(), "deviceInfo": {"devEui": "feed0000feed0000"}}
            broker.publish("application/a/device/feed0000feed0000/event/up", json.dumps(event))

    threading.Thread(target=chatter, daemon=True).start()
    command = [binary, "sensors", "discover", "--seconds", "4", "--config", daemon.config]
    found = subprocess.run(command, capture_output=True, text=True)
    stop.set()
    if found.returncode != 0 or 'aliases = ["feed0000feed0000"]' not in found.stdout and 'id = "feed0000feed0000"' not in found.stdout:
        raise SystemExit(f"FAIL discover: {found}")
    print("ok   an unknown sensor is found with the lines that admit it", flush=True)


def main():
    binary, folder = pathlib.Path(sys.argv[1]) / "vedette", pathlib.Path(sys.argv[2])
    ports = {name: free_port() for name in ["mqtt", "tak", "gpsd", "http"]}
    (folder / "mosquitto.conf").write_text(f"listener {ports['mqtt']} 127.0.0.1\nallow_anonymous true\n")
    (folder / "taky.conf").write_text(
        f"[taky]\nhostname = localhost\nbind_ip = 127.0.0.1\nroot_dir = {folder}\n"
        f"[cot_server]\nport = {ports['tak']}\n[ssl]\nenabled = false\n"
    )
    (folder / "rtl_433.jsonl").touch()
    (folder / "kraken.csv").touch()
    mesh, gnss, middleware, receiver = Pty(), Pty(), sapient.Middleware(), sapient.Middleware()
    gpsd = Gpsd(folder, ports["gpsd"])
    programs = [
        gpsd,
        start(folder, "mosquitto", ["mosquitto", "-c", folder / "mosquitto.conf"]),
        start(folder, "taky", ["taky", "-c", folder / "taky.conf"]),
    ]
    stop = threading.Event()
    try:
        wait_for("mosquitto answers", connects(ports["mqtt"]))
        wait_for("taky answers", connects(ports["tak"]))
        wait_for("gpsd answers", connects(ports["gpsd"]))
        daemon = Daemon(folder, binary, configuration(folder, ports, mesh, gnss, middleware, receiver))
        programs.append(daemon.process)
        wait_for("the daemon answers", daemon.status)
        wait_for("the broker's sources are up", lambda: all(map(daemon.is_up, ["native", "cameras", "lorawan", "mesh-mqtt"])))
        broker = client(ports["mqtt"])
        tak = check_cot(daemon, ports)
        threading.Thread(target=walk, args=(broker, stop), daemon=True).start()
        check_onvif(daemon, ports)
        check_chirpstack(daemon, broker)
        check_rtl_433(daemon, folder)
        check_meshtastic(daemon, mesh, broker)
        check_gnss(daemon, gnss, gpsd)
        check_kraken(daemon, folder, ports)
        check_sapient_in(daemon, middleware)
        wait_for("tracks come through taky", lambda: tak.of("a-u-G"))
        wait_for("sensors too", lambda: tak.of("a-f-G-E-S"))
        wait_for("a crossing is an emergency", lambda: tak.of("b-a-o-tbl"))
        check_takproto(tak)
        check_pytak(ports)
        check_sapient_out(daemon, receiver)
        check_sapient_tasks(middleware, receiver)
        check_discover(binary, daemon, broker)
        cot_tls.check(binary, folder / "tls")
        stop.set()
        if daemon.process.poll() is not None:
            raise SystemExit("FAIL the daemon has ended")
    except BaseException:
        for log in sorted(folder.glob("*.log")):
            text = log.read_text(errors="replace").splitlines()[-15:]
            print(f"-- {log.name}", *text, sep="\n", file=sys.stderr)
        raise
    finally:
        stop.set()
        for program in programs:
            program.terminate()
    print("all peers understand and are understood")


if __name__ == "__main__":
    main()
