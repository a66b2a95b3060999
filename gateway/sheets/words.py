"""What a Chinese table says for each code; both are read."""

from collections.abc import Mapping
from enum import StrEnum

from gateway.domain import (
    Ability,
    Answers,
    Duty,
    Hearing,
    Leaving,
    Living,
    Monitoring,
    Power,
    Relation,
    Risk,
    Role,
    RoomKind,
    Sex,
    Sight,
)

# By kind of code, because one word may mean two things in two columns: a button is a role and a way to answer.
WORDS: Mapping[type[StrEnum], Mapping[str, str]] = {
    Monitoring: {"registered": "建档", "trial": "试运行", "guarded": "守护中", "paused": "暂停", "retired": "停用"},
    Leaving: {
        "moved": "搬迁",
        "hospital": "住院",
        "died": "离世",
        "nursing_home": "入住养老机构",
        "withdrawn": "撤回同意",
    },
    RoomKind: {
        "bedroom": "卧室",
        "bathroom": "卫生间",
        "kitchen": "厨房",
        "living": "客厅",
        "hall": "门口",
        "other": "其他",
    },
    Role: {
        "motion": "人体感应",
        "presence": "人体存在",
        "exit_door": "入户门",
        "opening": "门柜",
        "bed": "床",
        "chair": "座椅",
        "appliance": "电器",
        "tap": "水龙头",
        "button": "按钮",
        "sos": "紧急按钮",
        "smoke": "烟感",
        "gas": "燃气",
        "co": "一氧化碳",
        "leak": "水浸",
        "fall": "跌倒雷达",
        "climate": "温湿度",
        "water_meter": "水表",
        "vitals": "体征设备",
    },
    Power: {"battery": "电池", "mains": "市电"},
    Duty: {
        "grid_worker": "网格员",
        "deputy": "副手",
        "supervisor": "负责人",
        "installer": "安装员",
        "family": "家属",
        "admin": "管理员",
        "elder": "老人",
        "key_holder": "钥匙保管人",
        "night_pool": "夜间值守",
        "community": "社区值班",
        "street": "街道值班",
        "district": "区县值班",
        "fire_station": "微型消防站",
        "doctor": "家庭医生",
        "medical": "就医联系人",
        "volunteer": "志愿者",
    },
    Sex: {"female": "女", "male": "男"},
    Living: {"alone": "独居", "couple": "空巢", "left_behind": "留守", "family": "与家人同住"},
    Ability: {
        "able": "能力完好",
        "mild": "轻度失能",
        "moderate": "中度失能",
        "severe": "重度失能",
        "total": "完全失能",
    },
    Risk: {"high": "高风险", "key": "重点", "general": "一般"},
    Hearing: {"good": "正常", "poor": "重听", "deaf": "失聪"},
    Answers: {"button": "按钮", "speaker": "音箱", "phone": "电话"},
    Relation: {
        "child": "子女",
        "spouse": "配偶",
        "relative": "亲属",
        "neighbour": "邻居",
        "key_holder": "钥匙保管人",
        "medical": "就医联系人",
        "doctor": "家庭医生",
        "cadre": "联点干部",
        "property": "物业",
        "volunteer": "志愿者",
    },
    Sight: {"calm": "今天平安", "alerts": "预警", "all": "全部"},
}


def word(code: StrEnum, language: str) -> str:
    """What a table in this language says for a code."""
    return WORDS[type(code)].get(code.value, code.value) if language == "zh" else code.value


def codes(kind: type[StrEnum]) -> dict[str, str]:
    """Everything that may stand for a code of this kind, and the code."""
    return {zh: code for code, zh in WORDS[kind].items()} | {code: code for code in WORDS[kind]}


def choices(kind: type[StrEnum]) -> str:
    return ", ".join(f"{code} ({zh})" for code, zh in WORDS[kind].items())
