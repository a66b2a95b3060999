// A signature drawn with a finger, sent as strokes in a box of 600 by 200. Without scripts, paper is left.
(() => {
  "use strict";
  const box = document.getElementById("sign");
  if (!box) return;
  const LONGEST = 20000; // characters; the server takes no more than a little above it
  const canvas = box.querySelector("canvas");
  const field = box.querySelector("input");
  const pen = canvas.getContext("2d");
  let drawing = false;
  let last = "";

  function point(event) {
    const edge = canvas.getBoundingClientRect();
    const within = (value, most) => Math.max(0, Math.min(most, Math.round(value)));
    return [
      within(((event.clientX - edge.left) / edge.width) * 600, 600),
      within(((event.clientY - edge.top) / edge.height) * 200, 200),
    ];
  }

  function begin(event) {
    if (field.value.length > LONGEST) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    drawing = true;
    const [x, y] = point(event);
    last = `${x} ${y}`;
    // A dot is a stroke too.
    field.value += `M${last}L${last}`;
    pen.strokeStyle = getComputedStyle(canvas).color;
    pen.lineWidth = 4;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x, y);
    pen.stroke();
  }

  function move(event) {
    if (!drawing || field.value.length > LONGEST) return;
    const [x, y] = point(event);
    if (`${x} ${y}` === last) return;
    last = `${x} ${y}`;
    field.value += `L${last}`;
    pen.lineTo(x, y);
    pen.stroke();
  }

  const end = () => {
    drawing = false;
  };

  canvas.addEventListener("pointerdown", begin);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  box.querySelector("button").addEventListener("click", () => {
    field.value = "";
    pen.clearRect(0, 0, canvas.width, canvas.height);
  });
  box.hidden = false;
})();
