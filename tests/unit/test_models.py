"""One message of each model, in the shape in which its maker sends it, and the readings it gives in a home."""

import json

import pytest
from the_intake import HUB, Ear, address, brief, sensor

from gateway.domain import Kind, Role
from gateway.ports import HubDevice
from ingest.decoders.models import FAMILIES, MODELS
from ingest.decoders.zigbee2mqtt import FIELDS

K, R = Kind, Role

SAYS: list[tuple[str, Role, dict[str, object], dict[Kind, float]]] = [
    # ---- contacts: true is closed
    (
        "MCCGQ11LM",
        R.EXIT_DOOR,
        {"battery": 91, "contact": False, "device_temperature": 22, "linkquality": 118, "power_outage_count": 3}
        | {"trigger_count": 0, "voltage": 2975},
        {K.DOOR: 1, K.BATTERY: 91, K.LINK: 118, K.VOLTAGE: 2.975},
    ),
    (
        "MCCGQ12LM",
        R.OPENING,
        {"battery": 88, "contact": True, "linkquality": 96, "voltage": 2960},
        {K.OPENING: 0, K.BATTERY: 88, K.LINK: 96, K.VOLTAGE: 2.96},
    ),
    (
        "MCCGQ13LM",
        R.EXIT_DOOR,
        {"battery": 79, "contact": False, "detection_distance": "20mm", "linkquality": 140, "tamper": False}
        | {"voltage": 2910},
        {K.DOOR: 1, K.BATTERY: 79, K.LINK: 140, K.TAMPER: 0, K.VOLTAGE: 2.91},
    ),
    (
        "MCCGQ01LM",
        R.OPENING,
        {"battery": 64, "contact": False, "linkquality": 71, "power_outage_count": 8, "voltage": 2895},
        {K.OPENING: 1, K.BATTERY: 64, K.LINK: 71, K.VOLTAGE: 2.895},
    ),
    (
        "SNZB-04",
        R.BED,  # wired to a mat: weight closes it
        {"battery": 100, "battery_low": False, "contact": True, "linkquality": 83, "voltage": 3100},
        {K.BED: 1, K.BATTERY: 100, K.BATTERY_LOW: 0, K.LINK: 83, K.VOLTAGE: 3.1},
    ),
    (
        "SNZB-04P",
        R.CHAIR,
        {"battery": 95, "battery_low": False, "contact": False, "linkquality": 90, "tamper": True, "voltage": 3000},
        {K.CHAIR: 0, K.BATTERY: 95, K.BATTERY_LOW: 0, K.LINK: 90, K.TAMPER: 1, K.VOLTAGE: 3},
    ),
    (
        "TS0203",
        R.SOS,  # a cord that pulls the magnet away
        {"battery": 82, "battery_low": False, "contact": False, "linkquality": 105, "tamper": False, "voltage": 2900},
        {K.SOS: 1, K.BATTERY: 82, K.BATTERY_LOW: 0, K.LINK: 105, K.TAMPER: 0, K.VOLTAGE: 2.9},
    ),
    (
        "E2013",
        R.OPENING,
        {"battery": 55, "contact": True, "linkquality": 150, "update": {"state": "idle"}, "voltage": 1350},
        {K.OPENING: 0, K.BATTERY: 55, K.LINK: 150, K.VOLTAGE: 1.35},
    ),
    (
        "HS1DS",
        R.EXIT_DOOR,
        {"battery": 70, "battery_low": False, "contact": False, "linkquality": 60, "tamper": False},
        {K.DOOR: 1, K.BATTERY: 70, K.BATTERY_LOW: 0, K.LINK: 60, K.TAMPER: 0},
    ),
    (
        "HS3DS",
        R.EXIT_DOOR,
        {"battery": 20, "battery_low": True, "contact": True, "linkquality": 62, "tamper": False},
        {K.DOOR: 0, K.BATTERY: 20, K.BATTERY_LOW: 1, K.LINK: 62, K.TAMPER: 0},
    ),
    (
        "WISZB-120",
        R.OPENING,
        {"battery": 100, "battery_low": False, "contact": False, "linkquality": 99, "tamper": False}
        | {"temperature": 19.4, "voltage": 3000},
        {K.OPENING: 1, K.BATTERY: 100, K.BATTERY_LOW: 0, K.LINK: 99, K.TAMPER: 0, K.TEMPERATURE: 19.4, K.VOLTAGE: 3},
    ),
    (
        "3RDS17BZ",
        R.EXIT_DOOR,
        {"battery": 47, "battery_low": False, "contact": True, "delay_open": 0, "linkquality": 77, "voltage": 2600},
        {K.DOOR: 0, K.BATTERY: 47, K.BATTERY_LOW: 0, K.LINK: 77, K.VOLTAGE: 2.6},
    ),
    # ---- infrared
    (
        "RTCGQ11LM",
        R.MOTION,
        {"battery": 85, "device_temperature": 23, "illuminance": 41, "linkquality": 112, "occupancy": True}
        | {"power_outage_count": 2, "voltage": 2965},
        {K.MOTION: 1, K.BATTERY: 85, K.ILLUMINANCE: 41, K.LINK: 112, K.VOLTAGE: 2.965},
    ),
    (
        "RTCGQ12LM",
        R.MOTION,
        {"battery": 93, "detection_interval": 60, "illuminance": 7, "linkquality": 131, "occupancy": True},
        {K.MOTION: 1, K.BATTERY: 93, K.ILLUMINANCE: 7, K.LINK: 131},
    ),
    (
        "RTCGQ14LM",
        R.MOTION,
        {"battery": 90, "illuminance": 260, "linkquality": 144, "motion_sensitivity": "high", "occupancy": False}
        | {"trigger_indicator": False},
        {K.MOTION: 0, K.BATTERY: 90, K.ILLUMINANCE: 260, K.LINK: 144},
    ),
    (
        "RTCGQ15LM",
        R.MOTION,
        {"battery": 78, "detection_interval": 30, "illuminance": 12, "linkquality": 88, "occupancy": True},
        {K.MOTION: 1, K.BATTERY: 78, K.ILLUMINANCE: 12, K.LINK: 88},
    ),
    (
        "SNZB-03",
        R.MOTION,
        {"battery": 100, "battery_low": False, "linkquality": 58, "occupancy": True, "voltage": 3000},
        {K.MOTION: 1, K.BATTERY: 100, K.BATTERY_LOW: 0, K.LINK: 58, K.VOLTAGE: 3},
    ),
    (
        "SNZB-03P",
        R.MOTION,
        {"battery": 100, "illumination": "dim", "linkquality": 120, "motion_timeout": 30, "occupancy": False},
        {K.MOTION: 0, K.BATTERY: 100, K.LINK: 120},
    ),
    (
        "TS0202",
        R.MOTION,
        {"battery": 66, "battery_low": False, "linkquality": 45, "occupancy": True, "tamper": True, "voltage": 2800},
        {K.MOTION: 1, K.BATTERY: 66, K.BATTERY_LOW: 0, K.LINK: 45, K.TAMPER: 1, K.VOLTAGE: 2.8},
    ),
    (
        "IH012-RT01",
        R.MOTION,
        {"battery": 72, "keep_time": "60", "linkquality": 91, "occupancy": True, "sensitivity": "medium"},
        {K.MOTION: 1, K.BATTERY: 72, K.LINK: 91},
    ),
    (
        "9290012607",
        R.MOTION,
        {"battery": 81, "illuminance": 3, "led_indication": False, "linkquality": 170, "motion_sensitivity": "high"}
        | {"occupancy": True, "occupancy_timeout": 0, "temperature": 22.31},
        {K.MOTION: 1, K.BATTERY: 81, K.ILLUMINANCE: 3, K.LINK: 170, K.TEMPERATURE: 22.31},
    ),
    (
        "E2134",
        R.MOTION,
        {"battery": 60, "illuminance": 1, "linkquality": 109, "occupancy": True, "voltage": 2600},
        {K.MOTION: 1, K.BATTERY: 60, K.ILLUMINANCE: 1, K.LINK: 109, K.VOLTAGE: 2.6},
    ),
    (
        "MOSZB-140",
        R.MOTION,
        {"battery": 92, "battery_low": False, "illuminance": 18, "linkquality": 137, "occupancy": False}
        | {"tamper": False, "temperature": 20.6, "voltage": 2900},
        {K.MOTION: 0, K.BATTERY: 92, K.BATTERY_LOW: 0, K.ILLUMINANCE: 18, K.LINK: 137, K.TAMPER: 0}
        | {K.TEMPERATURE: 20.6, K.VOLTAGE: 2.9},
    ),
    # ---- radars
    (
        "RTCZCGQ11LM",
        R.PRESENCE,
        {"action": "region_1_enter", "device_temperature": 31, "linkquality": 163, "monitoring_mode": "undirected"}
        | {"power_outage_count": 1, "presence": True, "presence_event": "enter"},
        {K.PRESENCE: 1, K.LINK: 163},
    ),
    (
        "FP1E",
        R.PRESENCE,
        {"detection_range": {}, "linkquality": 155, "movement": "no_movement", "presence": True}
        | {"target_distance": 2.4},
        {K.PRESENCE: 1, K.LINK: 155},
    ),
    (
        "SNZB-06P",
        R.MOTION,  # even where it hangs as a motion sensor it says that somebody is there, not that he moved
        {"illumination": "bright", "linkquality": 180, "occupancy": True, "occupancy_sensitivity": "medium"}
        | {"occupancy_timeout": 60},
        {K.PRESENCE: 1, K.LINK: 180},
    ),
    (
        "ZY-M100-S_1",
        R.PRESENCE,
        {"detection_delay": 0.1, "fading_time": 15, "illuminance": 120, "linkquality": 101, "presence": False}
        | {"target_distance": 0},
        {K.PRESENCE: 0, K.ILLUMINANCE: 120, K.LINK: 101},
    ),
    (
        "ZY-M100-24G",
        R.PRESENCE,
        {"distance": 1.08, "illuminance": 33, "linkquality": 122, "presence": True, "state": "presence"},
        {K.PRESENCE: 1, K.ILLUMINANCE: 33, K.LINK: 122},
    ),
    # ---- fall radars
    (
        "MIR-HE200-TY",
        R.FALL,
        {"fall_down_status": "fall", "illuminance": 28, "linkquality": 126, "motion_direction": "standing_still"}
        | {"motion_speed": 0, "occupancy": True, "presence": True, "static_dwell_alarm": "none"}
        | {"tumble_switch": "ON"},
        {K.FALL: 1, K.MAYBE_FALL: 0, K.PRESENCE: 1, K.ILLUMINANCE: 28, K.LINK: 126, K.FAULT: 0},
    ),
    (
        "FDS315",
        R.FALL,
        {"breathing_rate": 14, "linkquality": 133, "location_x": 35, "location_y": 90, "status": "falling"},
        {K.FALL: 1, K.PRESENCE: 1, K.LINK: 133},
    ),
    (
        "HS2FD-EF1-3.0",
        R.FALL,
        {"fall_status": "fall_alarm", "linkquality": 149, "occupancy": True, "sensor_status": "activity"},
        {K.FALL: 1, K.MAYBE_FALL: 0, K.PRESENCE: 1, K.LINK: 149},
    ),
    # ---- buttons
    (
        "HS1EB/HS1EB-E",
        R.SOS,
        {"action": "single", "battery": 87, "linkquality": 74},
        {K.SOS: 1, K.BATTERY: 87, K.LINK: 74},
    ),
    (
        "TS0215A_sos",
        R.BUTTON,
        {"action": "emergency", "battery": 100, "linkquality": 81, "voltage": 3000},
        {K.SOS: 1, K.BUTTON: 1, K.BATTERY: 100, K.LINK: 81, K.VOLTAGE: 3},
    ),
    (
        "TS0601_sos",
        R.SOS,
        {"action": "emergency", "battery": 45, "linkquality": 50},
        {K.SOS: 1, K.BATTERY: 45, K.LINK: 50},
    ),
    (
        "ZG-101Z",
        R.SOS,
        {"action": "sos", "battery_low": True, "linkquality": 39},
        {K.SOS: 1, K.BATTERY_LOW: 1, K.LINK: 39},
    ),
    ("SE21", R.SOS, {"action": "hold", "linkquality": 67}, {K.SOS: 1, K.LINK: 67}),
    (
        "MIR-SO100",
        R.SOS,
        {"action": "double", "battery": 99, "linkquality": 88},
        {K.SOS: 1, K.BATTERY: 99, K.LINK: 88},
    ),
    ("PB206", R.SOS, {"battery_low": False, "linkquality": 79, "sos": True}, {K.SOS: 1, K.BATTERY_LOW: 0, K.LINK: 79}),
    (
        "SEB01ZB",
        R.SOS,
        {"battery": 84, "battery_low": False, "linkquality": 92, "sos": True, "tamper": False},
        {K.SOS: 1, K.BATTERY: 84, K.BATTERY_LOW: 0, K.LINK: 92, K.TAMPER: 0},
    ),
    (
        "SBTZB-110",
        R.SOS,
        {"action": "single", "battery": 100, "linkquality": 110, "voltage": 3100},
        {K.SOS: 1, K.BATTERY: 100, K.LINK: 110, K.VOLTAGE: 3.1},
    ),
    (
        "WXKG11LM",
        R.BUTTON,
        {"action": "double", "battery": 97, "device_temperature": 24, "linkquality": 104, "voltage": 2995},
        {K.BUTTON: 1, K.ASSIST: 1, K.BATTERY: 97, K.LINK: 104, K.VOLTAGE: 2.995},
    ),
    (
        "WXKG01LM",
        R.SOS,
        {"action": "many", "battery": 58, "linkquality": 66, "voltage": 2885},
        {K.SOS: 1, K.BATTERY: 58, K.LINK: 66, K.VOLTAGE: 2.885},
    ),
    (
        "SNZB-01",
        R.BUTTON,
        {"action": "long", "battery": 74, "linkquality": 49, "voltage": 2800},
        {K.BUTTON: 1, K.ASSIST: 1, K.BATTERY: 74, K.LINK: 49, K.VOLTAGE: 2.8},
    ),
    (
        "SNZB-01P",
        R.SOS,
        {"action": "single", "battery": 100, "linkquality": 113, "voltage": 3000},
        {K.SOS: 1, K.BATTERY: 100, K.LINK: 113, K.VOLTAGE: 3},
    ),
    ("TS0041", R.SOS, {"action": "hold", "battery": 63, "linkquality": 54}, {K.SOS: 1, K.BATTERY: 63, K.LINK: 54}),
    (
        "TS0044",
        R.BUTTON,
        {"action": "3_single", "battery": 50, "linkquality": 61, "voltage": 2700},
        {K.BUTTON: 1, K.BATTERY: 50, K.LINK: 61, K.VOLTAGE: 2.7},
    ),
    # ---- beds and chairs
    (
        "TS0601_bed_presence_sensor",
        R.BED,
        {"battery": 76, "illuminance": 0, "linkquality": 98, "occupancy": True, "presence_delay": 2}
        | {"work_state": "presence_5min"},
        {K.BED: 1, K.BATTERY: 76, K.ILLUMINANCE: 0, K.LINK: 98},
    ),
    (
        "ZG-210Z",
        R.CHAIR,
        {"battery": 90, "current_pressure": 14, "humidity": 51, "linkquality": 128, "pressure_state": "sedentary"}
        | {"temperature": 21.2},
        {K.CHAIR: 1, K.BATTERY: 90, K.HUMIDITY: 51, K.LINK: 128, K.TEMPERATURE: 21.2},
    ),
    (
        "C3007",
        R.BED,
        {"battery": 100, "battery_low": False, "linkquality": 73, "pressure": False, "voltage": 3000},
        {K.BED: 0, K.BATTERY: 100, K.BATTERY_LOW: 0, K.LINK: 73, K.VOLTAGE: 3},
    ),
    (
        "SPM915",
        R.BED,
        {"battery": 89, "battery_low": False, "contact": True, "linkquality": 84, "tamper": False},
        {K.BED: 1, K.BATTERY: 89, K.BATTERY_LOW: 0, K.LINK: 84, K.TAMPER: 0},
    ),
    (
        "DJT11LM",
        R.BED,  # somebody stirs: that is life, and says nothing about lying or not
        {"action": "tilt", "angle_x": 4, "angle_y": -2, "angle_z": 86, "battery": 94, "linkquality": 115}
        | {"strength": 17, "vibration": True, "voltage": 2985},
        {K.VIBRATION: 1, K.BATTERY: 94, K.LINK: 115, K.VOLTAGE: 2.985},
    ),
    (
        "DJT12LM",
        R.TAP,  # glued to a pipe
        {"action": "shake", "battery": 86, "linkquality": 107, "voltage": 2970},
        {K.TAP: 1, K.BATTERY: 86, K.LINK: 107, K.VOLTAGE: 2.97},
    ),
    (
        "DWZTCGQ11LM",
        R.SOS,  # dropped, and even where somebody took it for a button: nobody fell and nobody called
        {"action": "fall", "battery": 91, "linkquality": 120, "orientation": "face_down", "voltage": 2955},
        {K.BATTERY: 91, K.LINK: 120, K.VOLTAGE: 2.955},
    ),
    (
        "3RVS01031Z",
        R.APPLIANCE,  # on the washing machine
        {"battery": 68, "linkquality": 119, "vibration": True, "x_axis": 12, "y_axis": -7, "z_axis": 1003},
        {K.APPLIANCE: 1, K.BATTERY: 68, K.LINK: 119},
    ),
    (
        "TS0210",
        R.OPENING,
        {"battery": 73, "linkquality": 56, "sensitivity": 20, "vibration": False, "voltage": 2850},
        {K.VIBRATION: 0, K.BATTERY: 73, K.LINK: 56, K.VOLTAGE: 2.85},
    ),
    # ---- dangers
    (
        "JY-GZ-01AQ",
        R.SMOKE,
        {"battery": 100, "buzzer_manual_mute": False, "linkage_alarm_state": False, "linkquality": 146, "smoke": True}
        | {"smoke_density": 15, "smoke_density_dbm": 0.18, "test": False, "voltage": 3080},
        {K.SMOKE: 1, K.BATTERY: 100, K.LINK: 146, K.SELF_TEST: 0, K.VOLTAGE: 3.08},
    ),
    (
        "HS3SA/HS1SA",
        R.SMOKE,
        {"battery": 96, "battery_low": False, "linkquality": 82, "smoke": True, "test": True},
        {K.SELF_TEST: 1, K.BATTERY: 96, K.BATTERY_LOW: 0, K.LINK: 82},  # somebody tries it out
    ),
    (
        "HS1SA-E",
        R.SMOKE,
        {"battery": 93, "battery_low": False, "linkquality": 100, "smoke": False, "test": False},
        {K.SMOKE: 0, K.BATTERY: 93, K.BATTERY_LOW: 0, K.LINK: 100, K.SELF_TEST: 0},
    ),
    (
        "SMSZB-120",
        R.SMOKE,
        {"battery": 88, "battery_low": False, "fault": True, "linkquality": 139, "reliability": "process_error"}
        | {"smoke": False, "temperature": 23.5, "test": False, "voltage": 2800},
        {K.SMOKE: 0, K.FAULT: 1, K.BATTERY: 88, K.BATTERY_LOW: 0, K.LINK: 139, K.SELF_TEST: 0}
        | {K.TEMPERATURE: 23.5, K.VOLTAGE: 2.8},
    ),
    (
        "TS0205",
        R.SMOKE,
        {"battery": 80, "linkquality": 69, "smoke": True, "tamper": False},
        {K.SMOKE: 1, K.BATTERY: 80, K.LINK: 69, K.TAMPER: 0},
    ),
    (
        "JT-BZ-01AQ/A",
        R.GAS,
        {"gas": False, "gas_density": 0, "linkage_alarm_state": False, "linkquality": 172, "power_outage_count": 5}
        | {"state": "preparation", "test": False},
        {K.GAS: 0, K.FAULT: 1, K.LINK: 172, K.SELF_TEST: 0},
    ),
    (
        "HS1CG",
        R.GAS,
        {"battery_low": False, "gas": True, "linkquality": 151, "tamper": False},
        {K.GAS: 1, K.BATTERY_LOW: 0, K.LINK: 151, K.TAMPER: 0},
    ),
    (
        "HS3CG",
        R.GAS,
        {"battery_low": False, "gas": False, "linkquality": 141, "tamper": False},
        {K.GAS: 0, K.BATTERY_LOW: 0, K.LINK: 141, K.TAMPER: 0},
    ),
    (
        "HS1CG-E",
        R.APPLIANCE,  # a danger is one, whatever it was registered for
        {"battery_low": False, "gas": True, "linkquality": 132, "tamper": True},
        {K.GAS: 1, K.BATTERY_LOW: 0, K.LINK: 132, K.TAMPER: 1},
    ),
    (
        "TS0601_gas_sensor_1",
        R.GAS,
        {"fault_alarm": False, "gas": True, "linkquality": 95, "self_test": True, "self_test_result": "checking"}
        | {"silence": False},
        {K.SELF_TEST: 1, K.FAULT: 0, K.LINK: 95},
    ),
    (
        "HS1CA-E",
        R.CO,
        {"battery": 100, "battery_low": False, "carbon_monoxide": True, "linkquality": 87},
        {K.CO: 1, K.BATTERY: 100, K.BATTERY_LOW: 0, K.LINK: 87},
    ),
    (
        "SJCGQ11LM",
        R.LEAK,
        {"battery": 100, "battery_low": False, "device_temperature": 20, "linkquality": 76, "trigger_count": 1}
        | {"voltage": 3015, "water_leak": True},
        {K.LEAK: 1, K.BATTERY: 100, K.BATTERY_LOW: 0, K.LINK: 76, K.VOLTAGE: 3.015},
    ),
    (
        "SNZB-05P",
        R.LEAK,
        {"battery": 100, "battery_low": False, "linkquality": 65, "water_leak": True},
        {K.LEAK: 1, K.BATTERY: 100, K.BATTERY_LOW: 0, K.LINK: 65},
    ),
    (
        "HS1WL/HS3WL",
        R.LEAK,
        {"battery": 71, "battery_low": False, "linkquality": 53, "tamper": False, "water_leak": False},
        {K.LEAK: 0, K.BATTERY: 71, K.BATTERY_LOW: 0, K.LINK: 53, K.TAMPER: 0},
    ),
    (
        "TS0207_water_leak_detector",
        R.LEAK,
        {"battery": 62, "battery_low": False, "linkquality": 48, "tamper": False, "water_leak": True},
        {K.LEAK: 1, K.BATTERY: 62, K.BATTERY_LOW: 0, K.LINK: 48, K.TAMPER: 0},
    ),
    (
        "E2202",
        R.LEAK,
        {"battery": 85, "linkquality": 124, "voltage": 1500, "water_leak": True},
        {K.LEAK: 1, K.BATTERY: 85, K.LINK: 124, K.VOLTAGE: 1.5},
    ),
    # ---- climate
    (
        "WSDCGQ11LM",
        R.CLIMATE,
        {"battery": 67, "humidity": 48.7, "linkquality": 103, "pressure": 1011.3, "temperature": 20.94}
        | {"voltage": 2945},
        {K.TEMPERATURE: 20.94, K.HUMIDITY: 48.7, K.BATTERY: 67, K.LINK: 103, K.VOLTAGE: 2.945},
    ),
    (
        "SNZB-02",
        R.CLIMATE,
        {"battery": 54, "humidity": 39.9, "linkquality": 59, "temperature": 4.2, "voltage": 2700},
        {K.TEMPERATURE: 4.2, K.HUMIDITY: 39.9, K.BATTERY: 54, K.LINK: 59, K.VOLTAGE: 2.7},
    ),
    (
        "SNZB-02D",
        R.CLIMATE,
        {"battery": 100, "humidity": 62, "linkquality": 116, "temperature": 27.6, "temperature_units": "celsius"},
        {K.TEMPERATURE: 27.6, K.HUMIDITY: 62, K.BATTERY: 100, K.LINK: 116},
    ),
    (
        "TS0201",
        R.CLIMATE,
        {"battery": 83, "humidity": 44, "linkquality": 64, "temperature": -3.5, "voltage": 2900},
        {K.TEMPERATURE: -3.5, K.HUMIDITY: 44, K.BATTERY: 83, K.LINK: 64, K.VOLTAGE: 2.9},
    ),
    (
        "HMSZB-110",
        R.CLIMATE,
        {"battery": 77, "battery_low": False, "humidity": 57.1, "linkquality": 125, "temperature": 18.8}
        | {"voltage": 2800},
        {K.TEMPERATURE: 18.8, K.HUMIDITY: 57.1, K.BATTERY: 77, K.BATTERY_LOW: 0, K.LINK: 125, K.VOLTAGE: 2.8},
    ),
    # ---- plugs
    (
        "TS011F_plug_1",
        R.APPLIANCE,  # a kettle; the volts are those of the mains and of no battery
        {"child_lock": "UNLOCK", "current": 7.9, "energy": 31.6, "linkquality": 190, "power": 1815, "state": "ON"}
        | {"voltage": 229},
        {K.APPLIANCE: 1, K.POWER: 1815, K.LINK: 190},
    ),
]


def home_with(model: str, role: Role, **more: object) -> Ear:
    """A home with one device of this model, as its hub announces it."""
    ear = Ear(sensor("room/it", role, 1, **more))
    ear.intake.devices.remember([HubDevice(HUB, address(1), "room/it", model, MODELS[model].maker)])
    return ear


def said(ear: Ear, **keys: object) -> dict[Kind, float]:
    """What the device's message gave; every kind at most once."""
    given = ear.z2m("room/it", **keys)
    assert len(given) == len(dict(given)), given
    return dict(given)


@pytest.mark.parametrize(("model", "role", "keys", "readings"), SAYS, ids=[row[0] for row in SAYS])
def test_what_each_model_says(model, role, keys, readings):
    ear = home_with(model, role)

    assert said(ear, **keys) == readings


@pytest.mark.parametrize(("model", "role", "keys", "readings"), SAYS, ids=[row[0] for row in SAYS])
def test_said_again_it_is_no_news(model, role, keys, readings):
    ear = home_with(model, role)
    said(ear, **keys)
    cached = {key: value for key, value in keys.items() if key != "action"}

    assert ear.after(seconds=9).z2m("room/it", **cached) == []


def test_every_model_has_its_message_and_every_message_its_keys():
    assert [row[0] for row in SAYS] == list(MODELS)
    for model, _, keys, _ in SAYS:
        listened = set(MODELS[model].keys.split())
        assert listened <= set(FIELDS) | set(MODELS[model].own), model
        missing = set(keys) & (set(FIELDS) - {"linkquality"}) - listened - set(MODELS[model].own)
        assert not missing - {"pressure", "state", "voltage"}, f"{model}: {missing}"


def test_families_are_apart():
    assert sum(map(len, FAMILIES.values())) == len(MODELS) >= 65


# --------------------------------------------------------------------------- what needs knowledge


def test_a_pad_that_speaks_as_a_contact_may_be_the_other_way_round():
    ear = home_with("SPM915", Role.BED, inverted=True)

    assert said(ear, contact=True) == {Kind.BED: 0}
    assert said(ear, contact=False) == {Kind.BED: 1}


@pytest.mark.parametrize("role", list(Role))
def test_a_sensor_that_was_dropped_is_nobody_falling_or_calling(role):
    ear = home_with("DWZTCGQ11LM", role)

    assert not {Kind.FALL, Kind.SOS, Kind.BUTTON} & said(ear, action="fall", orientation="tilt").keys()


def test_a_sensor_that_lies_still_says_nothing():
    assert said(home_with("DWZTCGQ11LM", Role.TAP), action="static") == {}


@pytest.mark.parametrize(
    ("model", "words", "calls"),
    [
        ("HS1EB/HS1EB-E", ["single", "off", "hold", "off", "double"], 3),
        ("SE21", ["off", "single"], 1),
        ("WXKG11LM", ["hold", "release", "single"], 2),
        ("TS0044", ["1_hold", "4_double", ""], 2),
        ("SNZB-01", ["something new"], 1),
        ("TS0215A_sos", ["emergency", "emergency"], 2),
    ],
)
def test_which_words_of_a_button_are_a_call(model, words, calls):
    ear = home_with(model, Role.SOS)

    for word in words:
        ear.after(seconds=5).z2m("room/it", action=word)

    assert ear.said == [(Kind.SOS, 1)] * calls


@pytest.mark.parametrize(
    ("model", "key", "values"),
    [
        (
            "MIR-HE200-TY",
            "fall_down_status",
            [("none", "00"), ("maybe_fall", " 1"), ("fall", "10"), ("fall", "  "), ("none", "0 ")],
        ),
        (
            "HS2FD-EF1-3.0",
            "fall_status",
            [("normal", "00"), ("fall_warning", " 1"), ("fall_alarm", "10"), ("unknown", "  ")],
        ),
    ],
)
def test_a_fall_is_told_when_the_radar_is_sure_and_once(model, key, values):
    ear = home_with(model, Role.FALL)

    for word, (sure, maybe) in values:
        given = brief(ear.after(seconds=20).hears("zigbee2mqtt/room/it", {key: word}))
        told = [(Kind.FALL, sure), (Kind.MAYBE_FALL, maybe)]
        assert given == [(kind, int(value)) for kind, value in told if value != " "]


def test_a_radar_whose_fall_function_is_off_cannot_do_its_work():
    ear = home_with("MIR-HE200-TY", Role.FALL)

    assert said(ear, tumble_switch="OFF", presence=True) == {Kind.FAULT: 1, Kind.PRESENCE: 1}
    assert said(ear, tumble_switch="ON", presence=True) == {Kind.FAULT: 0}


def test_a_gas_sensor_that_warms_up_says_so_until_it_works():
    ear = home_with("JT-BZ-01AQ/A", Role.GAS)

    assert said(ear, state="preparation") == {Kind.FAULT: 1}
    assert said(ear, state="work") == {Kind.FAULT: 0}


@pytest.mark.parametrize("key", ["test", "self_test"])
def test_an_alarm_in_a_self_test_wakes_nobody_and_a_real_one_does(key):
    ear = home_with("TS0601_gas_sensor_1", Role.GAS)

    assert said(ear, gas=True, **{key: True}) == {Kind.SELF_TEST: 1}
    assert said(ear.after(minutes=2), gas=False, **{key: False}) == {Kind.SELF_TEST: 0, Kind.GAS: 0}
    assert said(ear.after(minutes=2), gas=True, **{key: False}) == {Kind.GAS: 1}


def test_a_radar_that_does_not_know_changes_nothing():
    ear = home_with("RTCZCGQ11LM", Role.PRESENCE)
    said(ear, presence=True)

    assert said(ear, presence=None) == {}
    assert said(ear, presence=False) == {Kind.PRESENCE: 0}


def test_volts_of_a_battery_come_in_thousandths_and_volts_of_the_mains_not_at_all():
    assert said(home_with("TS0203", Role.OPENING), voltage=2900) == {Kind.VOLTAGE: 2.9}
    assert said(home_with("TS011F_plug_1", Role.APPLIANCE), voltage=229) == {}


def test_a_key_in_a_topic_of_its_own_is_read_as_its_model_means_it():
    ear = home_with("DJT12LM", Role.OPENING)

    assert brief(ear.hears("zigbee2mqtt/room/it/action", b"shake")) == [(Kind.VIBRATION, 1)]


def test_the_hub_announces_the_model_and_its_words_hold_from_then_on():
    ear = Ear(sensor("room/it", Role.SOS, 1))
    told = {"ieee_address": address(1), "friendly_name": "room/it", "definition": {"model": "SE21"}}
    ear.hears("zigbee2mqtt/bridge/devices", json.dumps([told]).encode())

    assert ear.z2m("room/it", action="off") == []
