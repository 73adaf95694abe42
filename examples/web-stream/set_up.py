"""Make the topic `web` in Kafka and the real-time table `web` in Pinot that reads it.

    python set_up.py --kafka kafka:9092 --pinot http://pinot-controller:9000

What is there already is left as it is. `--consume` is the address by which Pinot reaches Kafka, if
it is another one.
"""

import argparse
from typing import Any

import httpx
from confluent_kafka.admin import AdminClient, NewTopic

NAME = "web"
PARTITIONS = 2
CONSUMER = "kafka20.KafkaConsumerFactory"
PATIENCE = 60.0  # seconds
NUMBERS = ("requests", "errors", "latency_ms", "megabytes")


def schema() -> dict[str, Any]:
    """The columns that `amiss pump` sends."""
    return {
        "schemaName": NAME,
        "dimensionFieldSpecs": [
            {"name": "id", "dataType": "LONG"},
            {"name": "host", "dataType": "STRING"},
        ],
        "metricFieldSpecs": [{"name": name, "dataType": "DOUBLE"} for name in NUMBERS],
        "dateTimeFieldSpecs": [
            {
                "name": "ts",
                "dataType": "LONG",
                "format": "1:MILLISECONDS:EPOCH",
                "granularity": "1:MILLISECONDS",
            }
        ],
    }


def table(brokers: str) -> dict[str, Any]:
    """Real time, of JSON, of what is committed alone."""
    plugin = "org.apache.pinot.plugin.stream"
    return {
        "tableName": NAME,
        "tableType": "REALTIME",
        "segmentsConfig": {
            "schemaName": NAME,
            "timeColumnName": "ts",
            "replication": "1",
            "replicasPerPartition": "1",
        },
        "tenants": {},
        "metadata": {},
        "tableIndexConfig": {
            "loadMode": "MMAP",
            "rangeIndexColumns": ["ts"],
            "streamConfigs": {
                "streamType": "kafka",
                "stream.kafka.consumer.type": "lowlevel",
                "stream.kafka.topic.name": NAME,
                "stream.kafka.broker.list": brokers,
                "stream.kafka.isolation.level": "read_committed",
                "stream.kafka.consumer.prop.auto.offset.reset": "smallest",
                "stream.kafka.consumer.factory.class.name": f"{plugin}.{CONSUMER}",
                "stream.kafka.decoder.class.name": f"{plugin}.kafka.KafkaJSONMessageDecoder",
                "stream.kafka.fetch.timeout.millis": "500",
                "realtime.segment.flush.threshold.rows": "1000000",
                "realtime.segment.flush.threshold.time": "24h",
            },
        },
    }


def make_topic(brokers: str) -> None:
    """Unless it is there."""
    admin = AdminClient({"bootstrap.servers": brokers})
    if NAME not in admin.list_topics(timeout=PATIENCE).topics:
        admin.create_topics([NewTopic(NAME, PARTITIONS, -1)])[NAME].result(PATIENCE)


def make_table(controller: str, brokers: str) -> None:
    """Schema first; unless they are there."""
    with httpx.Client(base_url=controller, timeout=PATIENCE) as client:
        for what, said in (("schemas", schema()), ("tables", table(brokers))):
            there = client.get(f"/{what}/{NAME}")
            if there.status_code == httpx.codes.NOT_FOUND or there.json() == {}:
                client.post(f"/{what}", json=said).raise_for_status()


def main() -> None:
    """Both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--pinot", required=True, help="the controller's address")
    parser.add_argument("--consume")
    asked = parser.parse_args()
    make_topic(asked.kafka)
    make_table(asked.pinot, asked.consume or asked.kafka)


if __name__ == "__main__":
    main()
