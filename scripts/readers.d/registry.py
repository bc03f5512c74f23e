"""Serialises and deserialises with Confluent's client: python registry.py write|read avro|protobuf|json|registry-url topic schema.

`write` takes lines of JSON and gives lines of base64; `read` the other way. The schema is Avro's or JSON Schema's text; of
Protobuf a descriptor in base64, whose first message is meant. Deserialisers read Avro as the schema has it.
"""

import base64
import json
import sys

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

way, kind, url, topic, schema = sys.argv[1:6]
client = SchemaRegistryClient({"url": url})
context = SerializationContext(topic, MessageField.VALUE)


def message_class():
    file = descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(schema))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    name = ".".join(filter(None, [file.package, file.message_type[0].name]))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


if kind == "avro":
    serialize, deserialize = AvroSerializer(client, schema), AvroDeserializer(client, schema)
elif kind == "json":
    serialize, deserialize = JSONSerializer(schema, client), JSONDeserializer(schema, schema_registry_client=client)
else:
    message = message_class()
    serialize = ProtobufSerializer(message, client, {"use.deprecated.format": False})
    deserialize = ProtobufDeserializer(message, {"use.deprecated.format": False}, client)

for line in sys.stdin:
    if way == "write":
        value = json.loads(line)
        if kind == "protobuf":
            value = json_format.ParseDict(value, message())
        print(base64.b64encode(serialize(value, context)).decode())
    else:
        value = deserialize(base64.b64decode(line), context)
        if kind == "protobuf":
            value = json_format.MessageToDict(value, preserving_proto_field_name=True)
        print(json.dumps(value))
