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
    " 5 RegistrationAck registration_ack; 6 StatusReport status_report; 7 DetectionReport detection_report; 8 Task task;"
    " 9 TaskAck task_ack; 10 Alert alert; 11 AlertAck alert_ack; 12 Error error",
    "Registration": "1 *NodeDefinition node_definition; 2 string icd_version; 3 string name; 4 string short_name;"
    " 5 *Capability capabilities; 6 StatusDefinition status_definition; 7 *Mode mode_definition; 10 *Config config_data",
    "NodeDefinition": "1 int32 node_type",
    "Capability": "1 string category; 2 string type",
    "StatusDefinition": "1 Duration status_interval; 2 LocationType location_definition",
    "Duration": "1 int32 units; 3 float value",
    "LocationType": "1 int32 location_units; 3 int32 location_datum",
    "Mode": "1 string mode_name; 2 int32 mode_type; 3 string mode_description; 4 Duration settle_time;"
    " 5 Duration maximum_latency; 7 int32 tracking_type; 10 *DetectionDefinition detection_definition;"
    " 11 TaskDefinition task",
    "DetectionDefinition": "1 LocationType location_type; 3 *Extra detection_report;"
    " 4 *ClassGroup detection_class_definition; 6 VelocityType velocity_type",
    "Extra": "1 int32 category; 2 string type; 3 string units",
    "ClassGroup": "1 int32 confidence_definition; 3 *ClassDefinition class_definition",
    "ClassDefinition": "1 string type",
    "VelocityType": "4 SpeedUnits enu_velocity_units; 6 int32 location_datum",
    "SpeedUnits": "1 int32 east_north_rate_units",
    "TaskDefinition": "1 int32 concurrent_tasks; 2 RegionDefinition region_definition",
    "RegionDefinition": "1 *int32 region_type; 3 *LocationType region_area",
    "Config": "1 string manufacturer; 2 string model; 5 string software_version",
    "Task": "1 string task_id",
    "TaskAck": "1 string task_id; 2 int32 task_status; 5 *string reason",
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

# What a receiver may refuse a message for, where it is missing.
MANDATORY = {
    "SapientMessage": "timestamp node_id",
    "Registration": "node_definition icd_version capabilities status_definition mode_definition config_data",
    "NodeDefinition": "node_type",
    "Capability": "category type",
    "StatusDefinition": "status_interval",
    "Duration": "units value",
    "LocationType": "location_units location_datum",
    "Mode": "mode_name mode_type settle_time detection_definition task",
    "DetectionDefinition": "location_type",
    "Extra": "category type units",
    "ClassDefinition": "type",
    "VelocityType": "enu_velocity_units location_datum",
    "TaskDefinition": "region_definition",
    "RegionDefinition": "region_type region_area",
    "Config": "manufacturer model",
    "StatusReport": "report_id system info mode",
    "DetectionReport": "report_id object_id location",
    "Info": "type value",
    "Class": "type confidence",
    "Associated": "timestamp node_id object_id",
    "Location": "x y coordinate_system datum",
    "Alert": "alert_id alert_type status description priority",
    "AlertAck": "alert_id alert_ack_status",
    "TaskAck": "task_id task_status",
}


def missing(message):
    """Names of mandatory fields that are not there, in the message and all that it holds."""
    kind = message.DESCRIPTOR.name
    present = {field.name: value for field, value in message.ListFields()}
    found = [f"{kind}.{name}" for name in MANDATORY.get(kind, "").split() if name not in present]
    for field, value in message.ListFields():
        if field.message_type and field.message_type.name in MANDATORY:
            for inner in value if field.is_repeated else [value]:
                found += missing(inner)
    return found


def message_classes():
    """The message classes by name."""
    file = descriptor_pb2.FileDescriptorProto(name="sapient.proto", package=PACKAGE, syntax="proto2")
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
        self.declared = set()
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
        self.faults += missing(message)
        for mode in message.registration.mode_definition:
            self.declared |= {extra.type for defined in mode.detection_definition for extra in defined.detection_report}
        report, alert = message.detection_report, message.alert
        self.faults += [f"{info.type} is not declared" for info in report.object_info if info.type not in self.declared]
        names = [report.report_id, report.object_id, alert.alert_id, alert.region_id, message.status_report.report_id]
        for name in filter(None, names):
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
