// The service worker: pages that were seen are there again when the line is not, and a push becomes a notification.
//
// It keeps only what the gateway allows it to keep (X-Keep, naming for whom), shows it only when the line is down or
// slower than a person waits, and says from when it is. Signing out, or being signed out, empties it.
"use strict";
const FILES = "files";
const PAGES = "pages-";
const NOWHERE = "/offline";
const KEPT_AT = "x-kept-at";
const MOST_PAGES = 40;
const KEPT_MS = 3 * 24 * 60 * 60 * 1000; // what is older helps nobody, and should not lie about on a lost telephone
const PATIENCE_MS = 6000;
const SEEN = /^\/(homes\/|alerts\/|today$)/;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(FILES).then((files) => files.add(NOWHERE)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
  first(); // not waited for: until this event is over everything that a page asks for waits
});

// What was opened before the worker stood passed it by: it is asked for once more, to be kept, and the list with it.
async function first() {
  const open = await self.clients.matchAll({ includeUncontrolled: true });
  const seen = open.map((client) => client.url).filter((url) => SEEN.test(new URL(url).pathname));
  const asked = [new URL("/", self.location.origin).href, ...seen].map((url) => fetch(url, { headers: { accept: "text/html" } }));
  for (const answer of await Promise.allSettled(asked)) if (answer.value) await keep(answer.value);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  const asksForPart = request.headers.get("hx-request") && (request.headers.get("accept") || "").includes("text/html");
  if (request.method === "POST" && url.pathname === "/logout") event.respondWith(leave(request));
  else if (request.method === "POST" && asksForPart) event.respondWith(refreshed(event)); // an act leads back to a page
  if (request.method !== "GET") return;
  if (url.pathname.startsWith("/static/") && url.searchParams.has("v")) event.respondWith(file(request, url));
  else if (request.mode === "navigate") event.respondWith(page(event, url));
  else if (asksForPart) event.respondWith(refreshed(event));
});

// ------------------------------------------------------------------ files: their address holds a mark of their content

async function file(request, url) {
  const files = await caches.open(FILES);
  const kept = await files.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    for (const older of await files.keys()) if (new URL(older.url).pathname === url.pathname) await files.delete(older);
    await files.put(request, answer.clone());
  }
  return answer;
}

// ------------------------------------------------------------------ pages: from the gateway, else from memory

async function page(event, url) {
  const coming = fetch(event.request);
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, null));
  const first = await Promise.race([coming.catch(() => null), patience]);
  const answer = first || (await remembered(url)) || (await coming.catch(() => null));
  if (!answer) return (await caches.match(NOWHERE)) || Response.error();
  if (answer === first) event.waitUntil(keep(answer));
  return answer;
}

// What a page asks for to renew itself is never answered from memory, or it would look new; but it is remembered.
async function refreshed(event) {
  const answer = await fetch(event.request);
  if (event.request.method === "GET" || answer.redirected) event.waitUntil(keep(answer)); // a refusal is no page to keep
  return answer;
}

async function keep(answer) {
  const address = answer.url.split("#")[0]; // where it came from in the end
  if (answer.status === 401 || (answer.ok && new URL(address).pathname === "/login")) return forget();
  const whose = answer.headers.get("x-keep");
  if (!answer.ok || !whose) return;
  // Copied only where the copy is read: one that nobody reads holds its connection, and a browser has six.
  const copy = answer.clone();
  const mine = PAGES + whose;
  await forget(mine); // somebody else was signed in here before
  const headers = new Headers({ "content-type": answer.headers.get("content-type"), [KEPT_AT]: String(Date.now()) });
  // The page itself says from when it is: `data-kept` is what live.js shows large.
  const text = (await copy.text()).replace("<body ", `<body data-kept="${Date.now()}" `);
  const pages = await caches.open(mine);
  await pages.delete(address);
  await pages.put(address, new Response(text, { headers }));
  const all = await pages.keys();
  for (const oldest of all.slice(0, Math.max(0, all.length - MOST_PAGES))) await pages.delete(oldest);
}

async function remembered(url) {
  for (const name of await caches.keys()) {
    if (!name.startsWith(PAGES)) continue;
    const pages = await caches.open(name);
    const kept = await pages.match(url.href.split("#")[0]);
    if (kept && Date.now() - Number(kept.headers.get(KEPT_AT)) < KEPT_MS) return kept;
    if (kept) await pages.delete(url.href.split("#")[0]);
  }
  return null;
}

async function forget(except) {
  for (const name of await caches.keys()) if (name.startsWith(PAGES) && name !== except) await caches.delete(name);
}

async function leave(request) {
  const answer = await fetch(request);
  await forget();
  const subscription = await self.registration.pushManager?.getSubscription();
  if (subscription) await subscription.unsubscribe();
  return answer;
}

// ------------------------------------------------------------------ push

self.addEventListener("push", (event) => {
  const said = event.data ? event.data.json() : {};
  const shown = self.registration.showNotification(said.title || "守望 Shouwang", {
    body: said.body || "",
    tag: (said.id || "").split("/").slice(0, -2).join("/") || "shouwang", // a newer word about the same alert
    renotify: true,
    requireInteraction: true,
    vibrate: [400, 200, 400, 200, 800],
    icon: "/static/icons/192.png",
    badge: "/static/icons/badge.png",
    data: { link: said.link || "/" },
  });
  event.waitUntil(shown);
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const link = new URL(event.notification.data.link, self.location.origin);
  // A link that leads anywhere else was not written by us.
  event.waitUntil(self.clients.openWindow(link.origin === self.location.origin ? link.href : "/"));
});
