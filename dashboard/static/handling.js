// What an alert's page does by itself.
//
// Where somebody is when they arrive is asked for only when they tick it, and sent only with the button. What was written
// down is taken out of its form, which is kept as it stands while the page around it is renewed.
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
  document.addEventListener("htmx:after:swap", (event) => {
    offer();
    const { request, response, sourceElement } = event.detail.ctx;
    if (request?.method !== "POST" || response.status >= 400 || !sourceElement.matches("details > form")) return;
    sourceElement.reset();
    sourceElement.parentElement.open = false;
  });
  offer();
})();
