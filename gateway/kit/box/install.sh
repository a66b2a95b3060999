#!/bin/sh
# Puts the kit of hub @HUB@ in place. Again and again, if you like: a Zigbee network that is there already is kept.
# Usage: sudo sh install.sh            (DESTDIR=/folder only lays the files out below that folder)
set -eu
umask 022
cd "$(dirname "$0")"
root=${DESTDIR:-}

stop() {
    printf '%s\n' "$1" >&2
    exit 1
}

if [ -z "$root" ]; then
    [ "$(id -u)" = 0 ] || stop "请用 sudo 运行。 / Run it with sudo."
    for program in mosquitto mosquitto_pub mosquitto_sub node; do
        command -v "$program" >/dev/null || stop "缺少 $program，见 README。 / $program is missing, see the README."
    done
    [ -f /opt/zigbee2mqtt/index.js ] || stop "/opt/zigbee2mqtt 里没有 Zigbee2MQTT，见 README。 / There is no Zigbee2MQTT in /opt/zigbee2mqtt, see the README."
    id zigbee2mqtt >/dev/null 2>&1 || useradd --system --home /var/lib/zigbee2mqtt --groups dialout zigbee2mqtt
fi

network=$root/var/lib/zigbee2mqtt/configuration.yaml
if [ -f "$network" ] && ! grep -q 'shouwang/@HUB@/zigbee2mqtt' "$network"; then
    stop "这台盒子是另一户的：$network 里不是 @HUB@。 / This box belongs to another home: $network does not name @HUB@."
fi

mkdir -p "$root/etc/mosquitto" "$root/etc/systemd/system" "$root/usr/local/bin" "$root/var/lib/zigbee2mqtt"

# What a hub's own broker was told before is put aside, once.
there=$root/etc/mosquitto/mosquitto.conf
[ ! -f "$there" ] || [ -f "$there.before-shouwang" ] || cp -p "$there" "$there.before-shouwang"
install -m 600 mosquitto.conf "$there"
[ ! -f shouwang-ca.crt ] || install -m 644 shouwang-ca.crt "$root/etc/mosquitto/shouwang-ca.crt"

# Never a second time: without the network's key every device in the home would have to be joined anew.
[ -f "$network" ] || install -m 600 configuration.yaml "$network"

# What rings in this home was written down by whoever installed it.
[ -f "$root/etc/shouwang-ring" ] || install -m 644 shouwang-ring.conf "$root/etc/shouwang-ring"

install -m 755 shouwang-heartbeat shouwang-ring "$root/usr/local/bin/"
install -m 644 zigbee2mqtt.service shouwang-heartbeat.service shouwang-heartbeat.timer shouwang-ring.service "$root/etc/systemd/system/"

if [ -z "$root" ]; then
    chown mosquitto: /etc/mosquitto/mosquitto.conf
    chown -R zigbee2mqtt: /var/lib/zigbee2mqtt
    systemctl daemon-reload
    systemctl enable --quiet mosquitto zigbee2mqtt shouwang-heartbeat.timer shouwang-ring
    systemctl restart mosquitto zigbee2mqtt shouwang-heartbeat.timer shouwang-ring
fi
echo "好了。 / Done."
