"""What we understand. One file each, one line here; the name is the level of the topic after the hub."""

from ingest.decoders.base import Decoder
from ingest.decoders.esphome import ESPHOME
from ingest.decoders.plain import PLAIN
from ingest.decoders.shelly import SHELLY
from ingest.decoders.tasmota import TASMOTA
from ingest.decoders.zigbee2mqtt import ZIGBEE2MQTT

DECODERS: dict[str, Decoder] = {
    "plain": PLAIN,
    "zigbee2mqtt": ZIGBEE2MQTT,
    "shelly": SHELLY,
    "tasmota": TASMOTA,
    "esphome": ESPHOME,
}
