// Where somebody is when they arrive: asked for only when they tick it, and sent only with the button.
(() => {
  "use strict";
  const PATIENCE_MS = 20000;

  function offer() {
    if (!navigator.geolocation) return;
    for (const tick of document.querySelectorAll("[data-position]")) tick.closest("label").hidden = false;
  }

  document.addEventListener("change", (event) => {
    const tick = event.target;
    if (!tick.hasAttribute("data-position")) return;
    const field = tick.form.elements.position;
    field.value = "";
    if (!tick.checked) return;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const short = (degrees) => degrees.toFixed(5);
        if (tick.checked) field.value = `${short(coords.latitude)},${short(coords.longitude)},${Math.round(coords.accuracy)}`;
      },
      () => {
        tick.checked = false; // refused, or not known: arriving needs no position
      },
      { enableHighAccuracy: true, timeout: PATIENCE_MS },
    );
  });
  document.addEventListener("htmx:after:swap", offer);
  offer();
})();
