// This telephone: the service worker that keeps pages, the home screen, and push where the browser can do it.
(() => {
  "use strict";
  const part = (id) => document.getElementById(id);
  const canWork = Boolean(navigator.serviceWorker);
  if (canWork && document.body.dataset.who) navigator.serviceWorker.register("/worker.js");

  // ------------------------------------------------------------------ the rest is for the page of this device

  if (!part("push")) return;
  const said = part("push-said");
  const say = (what) => (said.textContent = said.dataset[what]);
  const point = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

  part("kept-said").textContent = part("kept-said").dataset[canWork && window.indexedDB ? "yes" : window.indexedDB ? "acts" : "no"];

  const button = part("push");
  const canPush = canWork && "PushManager" in window && "Notification" in window;
  if (button.dataset.key && !canPush) say("cannot");
  if (button.dataset.key && canPush) button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      if ((await Notification.requestPermission()) !== "granted") return say("refused");
      const worker = await navigator.serviceWorker.ready;
      const options = { userVisibleOnly: true, applicationServerKey: point(button.dataset.key) };
      const subscription = await worker.pushManager.subscribe(options);
      const body = new FormData();
      body.set("csrf", document.body.dataset.csrf);
      body.set("subscription", JSON.stringify(subscription));
      const answer = await fetch("/device/push", { method: "POST", body });
      if (!answer.ok) throw new Error(String(answer.status));
      location.reload();
    } catch {
      say("failed"); // in mainland China most browsers' push services cannot be reached
    } finally {
      button.disabled = false;
    }
  });

  let offered = null;
  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    offered = event;
    part("install").hidden = false;
  });
  part("install").addEventListener("click", () => offered && offered.prompt());
})();
