// While somebody's life may be in danger and nobody has accepted, an open page is loud: sound, vibration, its title.
//
// Browsers let a page be heard only after somebody has touched it. Until then a bar says so and is itself the touch.
// Whoever is on the telephone silences what rings now, on this screen, for two minutes; what rings anew is heard.
(() => {
  "use strict";
  const LOOK_MS = 1000;
  const BUZZ = [400, 200, 400, 200, 800];
  const HUSH_MS = 120000;
  const bar = document.getElementById("unheard");
  const hush = document.getElementById("hush");
  if (!bar) return;
  const alarm = new Audio(bar.dataset.sound);
  alarm.loop = true;
  alarm.preload = "auto";

  // A page out of the browser's memory does not know whether somebody has accepted meanwhile.
  const RINGING = ".ring.emergency, .rings, main.alert.emergency";
  const ringing = () => [...document.querySelectorAll(RINGING)].map((one) => one.dataset.rings);
  const rings = () => !document.body.dataset.kept && ringing().length > 0;
  const hushed = () => JSON.parse(sessionStorage.getItem("hushed") || '{"until": 0, "alerts": []}');
  const isHushed = ({ until, alerts }) => Date.now() < until && ringing().every((alert) => alerts.includes(alert));
  const isWanted = () => localStorage.getItem("sound") !== "off";

  async function look() {
    const loud = rings() && isWanted() && !isHushed(hushed());
    if (!loud) {
      alarm.pause();
      hush.hidden = true;
      bar.hidden = true;
      return;
    }
    if (navigator.vibrate && navigator.userActivation?.hasBeenActive) navigator.vibrate(BUZZ);
    if (!alarm.paused) return;
    try {
      await alarm.play();
      bar.hidden = true;
      hush.hidden = false;
    } catch {
      bar.hidden = false; // the browser waits for a touch
      hush.hidden = true;
    }
  }

  function silence() {
    if (hush.hidden) return;
    sessionStorage.setItem("hushed", JSON.stringify({ until: Date.now() + HUSH_MS, alerts: ringing() }));
    if (navigator.vibrate) navigator.vibrate(0);
    look();
  }

  bar.addEventListener("click", look);
  hush.addEventListener("click", silence);
  // Any touch of the page will do, and any key.
  document.addEventListener("pointerdown", () => rings() && look());
  document.addEventListener("keydown", (event) => (event.key === "Escape" ? silence() : rings() && look()));
  document.addEventListener("htmx:after:swap", look);
  setInterval(look, LOOK_MS);
  look();

  // ------------------------------------------------------------------ on the page of this device: switch and try

  const toggle = document.getElementById("sound");
  if (!toggle) return;
  toggle.checked = isWanted();
  toggle.addEventListener("change", () => {
    localStorage.setItem("sound", toggle.checked ? "on" : "off");
    look();
  });
  document.getElementById("try-sound").addEventListener("click", async () => {
    await alarm.play();
    if (navigator.vibrate) navigator.vibrate(BUZZ);
    setTimeout(look, 3000);
    setTimeout(() => rings() || alarm.pause(), 3000);
  });
})();
