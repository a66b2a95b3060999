// While somebody's life may be in danger and nobody has accepted, an open page is loud: sound, vibration, its title.
//
// Browsers let a page be heard only after somebody has touched it. Until then a bar says so and is itself the touch.
(() => {
  "use strict";
  const LOOK_MS = 1000;
  const BUZZ = [400, 200, 400, 200, 800];
  const bar = document.getElementById("unheard");
  if (!bar) return;
  const alarm = new Audio(bar.dataset.sound);
  alarm.loop = true;
  alarm.preload = "auto";

  // A page out of the browser's memory does not know whether somebody has accepted meanwhile.
  const rings = () =>
    !document.body.dataset.kept && document.querySelector(".ring.emergency, .rings, main.alert.emergency") !== null;
  const isWanted = () => localStorage.getItem("sound") !== "off";

  async function look() {
    const loud = rings() && isWanted();
    if (!loud) {
      alarm.pause();
      bar.hidden = true;
      return;
    }
    if (navigator.vibrate && navigator.userActivation?.hasBeenActive) navigator.vibrate(BUZZ);
    if (!alarm.paused) return;
    try {
      await alarm.play();
      bar.hidden = true;
    } catch {
      bar.hidden = false; // the browser waits for a touch
    }
  }

  bar.addEventListener("click", look);
  // Any touch of the page will do.
  document.addEventListener("pointerdown", () => rings() && look());
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
