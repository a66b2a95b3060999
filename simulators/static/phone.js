// Opens a message's link on the phone itself, so that the other phones stay in the room.
(() => {
  "use strict";
  const screen = document.getElementById("screen");
  const frame = screen.querySelector("iframe");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#phones a[data-whose]");
    if (!link || event.ctrlKey || event.metaKey || event.button) return;
    event.preventDefault();
    document.getElementById("whose").textContent = link.dataset.whose;
    frame.src = link.getAttribute("href");
    screen.hidden = false;
    document.getElementById("leave").focus();
  });
  document.getElementById("leave").addEventListener("click", () => {
    screen.hidden = true;
    frame.removeAttribute("src");
  });
  if (window.top !== window) document.body.classList.add("beside");
})();
