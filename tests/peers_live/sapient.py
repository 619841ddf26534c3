"""A SAPIENT counterpart: message classes from descriptors made here, and a middleware that takes in one node.

The tables list only the fields that are exchanged, by number, type and name as the standard (BSI Flex 335 version 2) has
them. A type in capitals names another message of the table.
"""

import datetime
import socket
import struct
import threading
import uuid

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

PACKAGE = "sapient_msg.bsi_flex_335_v2_0"
TYPES = {"double": 1, "float": 2, "bool": 8, "string": 9, "int32": 5}
MESSAGES = {
    "SapientMessage": "1 .Timestamp timestamp; 2 string node_id; 3 string destination_id; 4 Registration registration;"
    " 5 RegistrationAck registration_ack; 6 StatusReport status_report; 7 DetectionReport detection_report;"
    " 10 Alert alert; 11 AlertAck alert_ack; 12 Error error",
    "Registration": "1 *NodeDefinition node_definition; 2 string icd_version; 3 string name; 4 string short_name",
    "NodeDefinition": "1 int32 node_type",
    "RegistrationAck": "1 bool acceptance; 3 *string ack_response_reason",
    "StatusReport": "1 string report_id; 2 int32 system; 3 int32 info; 5 string mode; 7 Location node_location",
    "DetectionReport": "1 string report_id; 2 string object_id; 4 string state; 5 RangeBearing range_bearing;"
    " 6 Location location; 7 float detection_confidence; 10 *Info object_info; 11 *Class classification;"
    " 15 *Associated associated_detection; 19 Velocity enu_velocity",
    "Info": "1 string type; 2 string value",
    "Class": "1 string type; 2 float confidence",
    "Associated": "1 .Timestamp timestamp; 2 string node_id; 3 string object_id; 4 int32 association_type",
    "Location": "1 double x; 2 double y; 3 double z; 4 double x_error; 5 double y_error; 7 int32 coordinate_system;"
    " 8 int32 datum; 9 string utm_zone",
    "RangeBearing": "1 double elevation; 2 double azimuth; 3 double range; 5 double azimuth_error; 6 double range_error;"
    " 7 int32 coordinate_system; 8 int32 datum",
    "Velocity": "1 double east_rate; 2 double north_rate",
    "Alert": "1 string alert_id; 2 int32 alert_type; 3 int32 status; 4 string description; 6 Location location;"
    " 7 string region_id; 8 int32 priority; 10 float confidence; 12 *Associated associated_detection",
    "AlertAck": "1 string alert_id; 4 *string reason; 5 int32 alert_ack_status",
    "Error": "3 *string error_message",
}


def message_classes():
    """The message classes by name."""
    file = descriptor_pb2.FileDescriptorProto(name="sapient.proto", package=PACKAGE, syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields.split(";"):
            number, kind, field_name = field.split()
            added = message.field.add(name=field_name, number=int(number), label=3 if kind.startswith("*") else 1)
            kind = kind.lstrip("*")
            if kind in TYPES:
                added.type = TYPES[kind]
            else:
                added.type = 11
                added.type_name = ".google.protobuf.Timestamp" if kind == ".Timestamp" else f".{PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in MESSAGES}


CLASSES = message_classes()
ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Middleware:
    """Accepts one connection after another, registers whoever asks, acknowledges alerts and keeps what it is told."""

    def __init__(self):
        self.node_id = str(uuid.uuid4())
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.heard = []
        self.faults = []
        self.connection = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection, _ = self.server.accept()
            try:
                self._talk(connection)
            except (ConnectionError, struct.error) as error:
                self.faults.append(str(error)) if not isinstance(error, struct.error) else None
            self.connection = None

    def _talk(self, connection):
        while True:
            length = struct.unpack("<I", read_exactly(connection, 4))[0]
            message = CLASSES["SapientMessage"].FromString(read_exactly(connection, length))
            self._check(message)
            self.heard.append(message)
            if message.HasField("registration"):
                answer = self.message()
                answer.destination_id = message.node_id
                answer.registration_ack.acceptance = True
                connection.sendall(framed(answer))
                self.connection = connection
            if message.HasField("alert"):
                answer = self.message()
                answer.alert_ack.alert_id = message.alert.alert_id
                answer.alert_ack.alert_ack_status = 1
                connection.sendall(framed(answer))

    def _check(self, message):
        """What the reference middleware refuses: wrong names, and clocks that are off."""
        age = datetime.datetime.now(datetime.timezone.utc) - message.timestamp.ToDatetime(datetime.timezone.utc)
        if not -0.1 <= age.total_seconds() <= 0.9:
            self.faults.append(f"stamped {age.total_seconds()} s ago")
        if str(uuid.UUID(message.node_id, version=4)) != message.node_id:
            self.faults.append(f"node id {message.node_id}")
        report, alert = message.detection_report, message.alert
        for name in filter(None, [report.report_id, report.object_id, alert.alert_id]):
            if len(name) != 26 or any(digit not in ULID for digit in name):
                self.faults.append(f"ULID {name}")

    def message(self):
        message = CLASSES["SapientMessage"](node_id=self.node_id)
        message.timestamp.GetCurrentTime()
        return message

    def send(self, message):
        self.connection.sendall(framed(message))

    def of(self, kind):
        """The messages of this kind so far."""
        return [getattr(message, kind) for message in list(self.heard) if message.HasField(kind)]


def framed(message):
    body = message.SerializeToString()
    return struct.pack("<I", len(body)) + body


def read_exactly(connection, count):
    parts = b""
    while len(parts) < count:
        part = connection.recv(count - len(parts))
        if not part:
            raise struct.error("closed")
        parts += part
    return parts
