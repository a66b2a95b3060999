// Keeps a page honest: it says when what it shows may be old, and when an act did not get through.
(() => {
  "use strict";
  const SILENT_MS = 35000; // the server speaks every 15 s
  const live = () => document.getElementById("live");
  const banner = () => document.getElementById("stale");
  let heard = Date.now();
  let connection = null;
  let lost = false;

  // By the clock of the home, as everywhere on the page; with the day where it is not today's.
  function clock(ms) {
    const zone = { timeZone: banner().dataset.zone };
    const day = (at) => new Intl.DateTimeFormat("sv-SE", zone).format(at);
    const time = new Intl.DateTimeFormat("en-GB", { ...zone, hour: "2-digit", minute: "2-digit" }).format(ms);
    return day(ms) === day(Date.now()) ? time : `${day(ms)} ${time}`;
  }

  function show(kind) {
    const box = banner();
    if (!box) return;
    const minutes = Math.floor((Date.now() - heard) / 60000);
    const age = minutes < 1 ? box.dataset.now : minutes < 90 ? box.dataset.minutes : box.dataset.hours;
    const span = age.replace("{n}", minutes < 90 ? minutes : Math.round(minutes / 60));
    box.textContent = box.dataset[kind].replace("{time}", clock(heard)).replace("{age}", span);
    box.hidden = false;
    document.body.classList.toggle("is-stale", kind === "lost");
  }

  function hide() {
    const box = banner();
    if (box) box.hidden = true;
    document.body.classList.remove("is-stale");
  }

  function alive() {
    heard = Date.now();
    if (lost) {
      lost = false;
      hide();
      // What was missed comes by replay; what changes without an event is looked at once.
      htmx.trigger(live(), "news", {});
    }
  }

  function missing() {
    if (!lost && !document.hidden) {
      lost = true;
      document.body.dataset.line = "down";
      show("lost");
    }
  }

  document.addEventListener("ping", alive);
  document.addEventListener("news", (event) => {
    if (event.detail && event.detail.id) alive();
  });
  document.addEventListener("htmx:sse:after:connection", (event) => {
    connection = event.detail.connection;
    document.body.dataset.line = "up";
  });
  document.addEventListener("htmx:sse:error", (event) => {
    if (event.detail.status === 401) location.reload(); // signed out meanwhile
    missing();
  });
  // An act that did not reach the gateway must never look as if it had.
  document.addEventListener("htmx:error", (event) => {
    const request = event.detail && event.detail.ctx && event.detail.ctx.request;
    if (request && request.method !== "POST") missing();
  });
  document.addEventListener("unsent", () => show("unsent")); // and could not be kept to be sent later
  document.addEventListener("htmx:after:swap", () => {
    if (!live()) {
      // A page that asks again and again instead of listening has just been answered.
      heard = Date.now();
      lost = false;
    }
    if (!lost) hide();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) heard = Math.max(heard, Date.now() - SILENT_MS / 2);
  });
  // A page out of the browser's memory says from when it is, and is looked at anew as soon as that can be.
  if (document.body.dataset.kept) {
    heard = Number(document.body.dataset.kept);
    missing();
    addEventListener("online", () => location.reload());
  }
  setInterval(() => {
    if (lost) show("lost"); // its age grows
    if (live() && !document.hidden && Date.now() - heard > SILENT_MS) {
      missing();
      // A line that died without a word is cut, so that a new one is made.
      if (connection && connection.reader) connection.reader.cancel();
    }
  }, 5000);
})();
