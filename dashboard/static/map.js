// Draws the list below it as a map: homes on a plain ground, or on tiles of the host that the settings name.
(() => {
  "use strict";
  const place = document.getElementById("map");
  const colours = { emergency: "--red", ringing: "--amber", blind: "--grey", well: "--green" };
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  place.hidden = false;
  const map = L.map(place, { attributionControl: false, zoomSnap: 0.25, maxZoom: 19 });
  if (place.dataset.tiles) L.tileLayer(place.dataset.tiles, { maxZoom: 19 }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  const layer = L.featureGroup().addTo(map);
  let isPlaced = false;

  function draw() {
    layer.clearLayers();
    const spots = [...document.querySelectorAll("#spots [data-latitude]")].reverse();
    for (const spot of spots) {
      const link = spot.querySelector("a"), homes = Number(spot.dataset.homes);
      const matter = Object.keys(colours).find((name) => spot.classList.contains(name));
      const ink = colour(colours[matter]);
      const mark = L.circleMarker([Number(spot.dataset.latitude), Number(spot.dataset.longitude)], {
        radius: homes ? 12 + Math.min(Math.sqrt(homes), 26) : matter === "well" ? 8 : 12,
        color: ink,
        weight: matter === "blind" ? 3 : 2,
        dashArray: matter === "blind" ? "4 4" : null,
        fillColor: ink,
        fillOpacity: matter === "well" ? 0.35 : matter === "blind" ? 0.15 : 0.75,
      });
      const name = document.createElement("span");
      // As text: a name is no page. On a narrow screen the rest would lie over the neighbours; it stands in the list.
      const said = [...link.children].map((part) => part.textContent.trim());
      name.textContent = place.clientWidth < 600 ? said[0] : said.join(" · ");
      const isNamed = homes || matter === "emergency" || matter === "ringing" || spots.length <= 20;
      mark.bindTooltip(name, { permanent: Boolean(isNamed), direction: "bottom", offset: [0, 6] });
      mark.on("click", () => location.assign(link.href));
      layer.addLayer(mark);
    }
    if (!isPlaced && spots.length) {
      map.fitBounds(layer.getBounds().pad(0.25), { maxZoom: 17, padding: [36, 24] });
      isPlaced = true;
    } else if (!spots.length) place.hidden = true;
  }

  draw();
  const news = { childList: true, subtree: true, attributes: true, characterData: true, attributeFilter: ["class"] };
  new MutationObserver(draw).observe(document.getElementById("spots"), news);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
