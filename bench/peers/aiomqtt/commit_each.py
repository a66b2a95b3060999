"""The peer that an hour of Python gives: aiomqtt, JSON, one INSERT and one COMMIT a message, a call for a press.

python commit_each.py BROKER_PORT DATABASE HOOK_PORT
"""

import asyncio
import http.client
import json
import sqlite3
import sys

import aiomqtt

broker_port, database, hook_port = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])

db = sqlite3.connect(database)
db.execute("pragma journal_mode=wal")
db.execute("create table if not exists reading (id integer primary key, topic text, payload text, last_seen text)")
db.execute("create index if not exists reading_topic on reading (topic, last_seen)")
db.commit()
hook = http.client.HTTPConnection("127.0.0.1", hook_port)


def take(topic: str, payload: dict) -> None:
    db.execute(
        "insert into reading (topic, payload, last_seen) values (?, ?, ?)",
        (topic, json.dumps(payload), payload["last_seen"]),
    )
    db.commit()
    if "/sos/" in topic:
        body = json.dumps({"topic": topic, "payload": payload})
        hook.request("POST", "/", body, {"Content-Type": "application/json"})
        hook.getresponse().read()


async def main() -> None:
    async with aiomqtt.Client(
        "127.0.0.1", broker_port, identifier="bench-aiomqtt", protocol=aiomqtt.ProtocolVersion.V311, clean_session=False
    ) as client:
        await client.subscribe("shouwang/+/zigbee2mqtt/#", 1)
        async for message in client.messages:
            topic = str(message.topic)
            if "/bridge/" not in topic:
                take(topic, json.loads(message.payload))


asyncio.run(main())
