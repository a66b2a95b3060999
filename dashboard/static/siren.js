// While somebody's life may be in danger and nobody has accepted, an open page is loud: sound, vibration, its title.
//
// Browsers let a page be heard only after somebody has touched it. Until then a bar says so and is itself the touch.
// Whoever is on the telephone silences what rings now, on this screen, for two minutes; what rings anew is heard, and
// after two minutes all of it again. How long it stays silent is counted down, and another tap ends it.
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
  const [barWords, hushWords] = [bar, hush].map((button) => button.querySelector("span"));
  const [touch, silent] = [barWords, hushWords].map((words) => words.textContent);

  // Whatever is not heard stands on the page with its reason, and one tap makes it heard.
  function keepStill(saysOff, left) {
    alarm.pause();
    bar.hidden = !saysOff;
    barWords.textContent = saysOff ? barWords.dataset.off : touch;
    hush.hidden = !left;
    hushWords.textContent = left ? hushWords.dataset.left.replace("{n}", Math.ceil(left / 1000)) : silent;
  }

  async function look() {
    const { until, alerts } = hushed();
    if (!rings()) return keepStill(false, 0);
    if (!isWanted()) return keepStill(true, 0);
    if (isHushed({ until, alerts })) return keepStill(false, until - Date.now());
    barWords.textContent = touch;
    hushWords.textContent = silent;
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
    if (hush.hidden || isHushed(hushed())) return;
    sessionStorage.setItem("hushed", JSON.stringify({ until: Date.now() + HUSH_MS, alerts: ringing() }));
    if (navigator.vibrate) navigator.vibrate(0);
    look();
  }

  function soundAgain() {
    sessionStorage.removeItem("hushed");
    look();
  }

  bar.addEventListener("click", () => {
    localStorage.setItem("sound", "on");
    look();
  });
  hush.addEventListener("click", () => (isHushed(hushed()) ? soundAgain() : silence()));
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
  bar.addEventListener("click", () => (toggle.checked = true));
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
