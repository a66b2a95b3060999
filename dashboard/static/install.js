// What the installer's pages do beyond HTML: no form is sent twice, labels are scanned.
(() => {
  "use strict";
  const LOOK_EVERY_MS = 250;

  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // ------------------------------------------------------------------ where the home is

  const standing = document.getElementById("stand-here");
  if (standing && navigator.geolocation) {
    standing.hidden = false;
    standing.addEventListener("click", () => {
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          standing.form.elements.position.value = `${coords.latitude.toFixed(5)}, ${coords.longitude.toFixed(5)}`;
        },
        () => {
          standing.textContent = standing.dataset.refused;
        },
        { enableHighAccuracy: true, timeout: 20000 },
      );
    });
  }

  // ------------------------------------------------------------------ labels

  const part = (id) => document.getElementById(id);
  const canScan = "BarcodeDetector" in window && navigator.mediaDevices && navigator.mediaDevices.getUserMedia;
  let stream = null;

  // Only the device's address leaves the label: a maker's code beside it may let others join the network.
  function addressOn(label) {
    const found = label.match(/(?<![0-9A-Fa-f])(?:0x)?((?:[0-9A-Fa-f]{2}[:-]?){7}[0-9A-Fa-f]{2})(?![0-9A-Fa-f])/);
    return found && `0x${found[1].replace(/[:-]/g, "").toLowerCase()}`;
  }

  function close() {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    part("camera").hidden = true;
  }

  async function look(detector) {
    if (!stream) return;
    const lens = part("lens");
    const codes = lens.readyState >= 2 ? await detector.detect(lens).catch(() => []) : [];
    const address = codes.map((code) => addressOn(code.rawValue)).find(Boolean);
    if (address && stream) {
      close();
      part("q").value = address;
      part("seek").requestSubmit();
      return;
    }
    if (codes.length) part("scan-said").textContent = part("scan").dataset.other;
    setTimeout(() => look(detector), LOOK_EVERY_MS);
  }

  async function scan() {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      part("scan-said").textContent = part("scan").dataset.none;
      return;
    }
    part("camera").hidden = false;
    part("lens").srcObject = stream;
    await part("lens").play();
    look(new window.BarcodeDetector());
  }

  if (part("scan") && canScan) {
    part("scan").hidden = false;
    part("scan").addEventListener("click", scan);
    part("unscan").addEventListener("click", close);
  }
})();
