// For whoever does not see the screen or has no pointer: what is new is said once, and the focus is never lost.
(() => {
  "use strict";
  // Spans that grow every half minute are no news: only these words are compared. `cry` interrupts, `tell` waits.
  const boxes = { cry: document.getElementById("cried"), tell: document.getElementById("told") };
  const words = (how) => new Set([...document.querySelectorAll(`[data-${how}]`)].map((one) => one.dataset[how].trim()));
  const known = { cry: words("cry"), tell: words("tell") };

  function say(isRead) {
    for (const [how, box] of Object.entries(boxes)) {
      const fresh = [...words(how)].filter((word) => !known[how].has(word));
      known[how] = words(how);
      if (fresh.length && !isRead) box.textContent = fresh.join(" · ");
    }
  }

  // A button that was pressed is switched off while its act is on the way, and may be gone afterwards. Then the focus
  // goes to what the act has changed, so that this is read and the next Tab goes on from there.
  let last = null;
  let isByKey = false;
  document.addEventListener("focusin", (event) => (last = event.target));
  document.addEventListener("submit", (event) => (last = event.submitter || last), true);
  document.addEventListener("keydown", () => (isByKey = true), true);
  document.addEventListener("pointerdown", () => ([isByKey, last] = [false, null]), true); // a tap beside it lets go

  function refocus() {
    const isLost = !document.activeElement || document.activeElement === document.body;
    if (!isLost || !last) return false;
    const isThere = last.isConnected && last.checkVisibility() && !last.disabled;
    const goal = isThere ? last : document.querySelector("main [data-after]") || document.getElementById("main");
    goal.focus({ preventScroll: !isByKey });
    return !isThere;
  }

  document.addEventListener("htmx:after:swap", () => say(refocus()));

  document.addEventListener("keydown", (event) => {
    const menu = document.querySelector(".menu[open]");
    if (event.key !== "Escape" || !menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopImmediatePropagation(); // one press closes one thing
  });
  document.addEventListener("focusin", (event) => {
    const menu = document.querySelector(".menu[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
})();
