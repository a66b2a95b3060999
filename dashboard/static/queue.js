// Acts on a bad line: what was pressed is kept in this browser until the gateway has it, and never done twice.
//
// Every act carries a key of its own from the first try on, so an answer that got lost on the way back does no harm.
// It also carries when it was pressed. Whatever the gateway then refuses, because somebody was quicker, is told.
(() => {
  "use strict";
  const EVERY_MS = 10000;
  const MOST = 50;
  const AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);
  const box = () => document.getElementById("waiting");
  const me = () => document.body.dataset.who || "";
  let sending = false;

  // ------------------------------------------------------------------ the store

  const opened = new Promise((resolve, reject) => {
    if (!window.indexedDB) return reject(new Error("no database"));
    const asked = indexedDB.open("shouwang", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("acts", { keyPath: "key" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  opened.catch(() => {}); // a private window: then an act that does not get through is said, as before

  async function store(mode, ask) {
    const acts = (await opened).transaction("acts", mode).objectStore("acts");
    return new Promise((resolve, reject) => {
      const asked = ask(acts);
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
  }

  // By a one-tap link there is nobody signed in, and the link itself says whose act it is.
  const isMine = (act) => act.url.startsWith("/a/") || act.who === me();
  const all = async () => (await store("readonly", (acts) => acts.getAll())).filter(isMine).sort((a, b) => a.at - b.at);

  // ------------------------------------------------------------------ taking an act in

  const mayWait = (request) => request && request.form && request.form.hasAttribute("data-queue");
  const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

  document.addEventListener("htmx:config:request", (event) => {
    const { request } = event.detail.ctx;
    if (!mayWait(request)) return;
    request.body.set("key", newKey());
    request.body.set("pressed", new Date().toISOString());
  });

  function words(request) {
    const button = request.submitter || request.form.querySelector("button, .shutter");
    return (request.form.dataset.queue || (button ? button.textContent : "")).trim().replace(/\s+/g, " ");
  }

  async function keep(request) {
    const fields = [...request.body.entries()].filter(([name]) => name !== "csrf");
    const key = request.body.get("key");
    const url = new URL(request.action, location.href).pathname;
    const waiting = await all();
    const meant = (act) => JSON.stringify([act.url, act.fields.filter(([name]) => name !== "key" && name !== "pressed")]);
    const hasPicture = fields.some(([, value]) => value instanceof Blob);
    // The same button pressed once more while its first press still waits is that press.
    if (!hasPicture && waiting.some((act) => !act.said && meant(act) === meant({ url, fields }))) return;
    if (waiting.length >= MOST) throw new Error("too many");
    const act = { key, url, who: me(), at: Date.now(), words: words(request), fields, said: "" };
    await store("readwrite", (acts) => acts.put(act));
    await show();
  }

  async function lost(request) {
    try {
      await keep(request);
    } catch {
      document.dispatchEvent(new CustomEvent("unsent"));
    }
  }

  document.addEventListener("htmx:error", (event) => {
    const request = event.detail && event.detail.ctx && event.detail.ctx.request;
    if (!request || request.method !== "POST") return;
    if (mayWait(request)) lost(request);
    else document.dispatchEvent(new CustomEvent("unsent"));
  });
  document.addEventListener("htmx:before:response", (event) => {
    const { request, response } = event.detail.ctx;
    const isSignedOut = response.status === 401; // meanwhile: it goes by itself when they are in again
    if (!mayWait(request) || !(isSignedOut || AGAIN.has(response.status))) return;
    event.preventDefault(); // the gateway starts anew, or a proxy stands before nothing
    const door = response.headers.get("HX-Redirect");
    lost(request).then(() => isSignedOut && door && location.assign(door));
  });

  // ------------------------------------------------------------------ sending it later

  async function send() {
    if (sending || !(await all().catch(() => [])).some((act) => !act.said)) return;
    sending = true;
    try {
      const asked = await fetch("/device/me", { cache: "no-store", headers: { accept: "application/json" } });
      const mine = asked.ok ? await asked.json() : null;
      for (const act of await all()) {
        if (act.said) continue;
        const byLink = act.url.startsWith("/a/");
        if (!byLink && !mine) box().dataset.signIn = "yes";
        if (!byLink && (!mine || mine.who !== act.who)) continue;
        const body = new FormData();
        for (const [name, value] of act.fields) body.append(name, value);
        // The token is the session's of now, which need not be the one in which it was pressed.
        if (mine) body.set("csrf", mine.csrf);
        const answer = await fetch(act.url, { method: "POST", body, headers: { accept: "application/json" } });
        if (AGAIN.has(answer.status)) break;
        const told = answer.headers.get("content-type")?.includes("json") ? await answer.json() : { done: false, said: "" };
        if (answer.ok && told.done) await store("readwrite", (acts) => acts.delete(act.key));
        else await store("readwrite", (acts) => acts.put({ ...act, said: told.said || box().dataset.refused }));
        const live = document.getElementById("live");
        if (live && window.htmx) htmx.trigger(live, "news", {});
      }
    } catch {
      // still no line
    } finally {
      sending = false;
      await show();
    }
  }

  // ------------------------------------------------------------------ what the page says of it

  const clock = (ms) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: document.getElementById("stale").dataset.zone, hour: "2-digit", minute: "2-digit" }).format(ms);

  function line(act) {
    const item = document.createElement("li");
    const { pressed, conflict, seen } = box().dataset;
    item.textContent = (act.said ? conflict : pressed).replace("{act}", act.words).replace("{time}", clock(act.at)).replace("{why}", act.said);
    if (act.said) {
      const done = document.createElement("button");
      done.type = "button";
      done.className = "button quiet";
      done.textContent = seen;
      done.addEventListener("click", async () => {
        await store("readwrite", (acts) => acts.delete(act.key));
        await show();
      });
      item.append(done);
    }
    return item;
  }

  async function show() {
    if (!box()) return;
    const waiting = await all().catch(() => []);
    box().hidden = !waiting.length;
    box().querySelector("ul").replaceChildren(...waiting.map(line));
    const isSignedOut = box().dataset.signIn === "yes" && waiting.some((act) => !act.said);
    box().querySelector("p").textContent = isSignedOut ? box().dataset.signin : box().dataset.waits;
    box().querySelector("p").hidden = !waiting.some((act) => !act.said);
  }

  // Who signs out takes along what nobody else should send; it is asked once whether that is meant.
  document.addEventListener("submit", async (event) => {
    if (new URL(event.target.action, location.href).pathname !== "/logout" || event.target.dataset.asked) return;
    event.preventDefault();
    const waiting = await all().catch(() => []);
    if (waiting.some((act) => !act.said) && !window.confirm(box().dataset.leave)) return;
    for (const act of waiting) await store("readwrite", (acts) => acts.delete(act.key));
    event.target.dataset.asked = "yes";
    event.target.requestSubmit();
  });

  window.addEventListener("online", send);
  document.addEventListener("ping", send);
  document.addEventListener("visibilitychange", () => document.hidden || send());
  setInterval(send, EVERY_MS);
  show().then(send);
})();
