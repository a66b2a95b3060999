"""The peer that an afternoon of Python gives: paho, JSON, one INSERT and one COMMIT a message, a call for a press.

python commit_each.py BROKER_PORT DATABASE HOOK_PORT
"""

import http.client
import json
import sqlite3
import sys

import paho.mqtt.client as mqtt

broker_port, database, hook_port = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])

db = sqlite3.connect(database)
db.execute("pragma journal_mode=wal")
db.execute("create table if not exists reading (id integer primary key, topic text, payload text, last_seen text)")
db.execute("create index if not exists reading_topic on reading (topic, last_seen)")
db.commit()
hook = http.client.HTTPConnection("127.0.0.1", hook_port)


def on_connect(client: mqtt.Client, *_: object) -> None:
    client.subscribe("shouwang/+/zigbee2mqtt/#", 1)


def on_message(_client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
    if "/bridge/" in message.topic:
        return
    payload = json.loads(message.payload)
    db.execute(
        "insert into reading (topic, payload, last_seen) values (?, ?, ?)",
        (message.topic, json.dumps(payload), payload["last_seen"]),
    )
    db.commit()
    if "/sos/" in message.topic:
        body = json.dumps({"topic": message.topic, "payload": payload})
        hook.request("POST", "/", body, {"Content-Type": "application/json"})
        hook.getresponse().read()


client = mqtt.Client(
    mqtt.CallbackAPIVersion.VERSION2, client_id="bench-commit-each", protocol=mqtt.MQTTv311, clean_session=False
)
client.on_connect = on_connect
client.on_message = on_message
client.connect("127.0.0.1", broker_port)
client.loop_forever()
