// What somebody has typed survives: a form that comes back with an error, or whose session had ended, is filled in again.
//
// It is kept in this tab alone, from the press until the next page, and only for whoever pressed.
(() => {
  "use strict";
  const KEPT = "given";
  const UNTYPED = new Set(["hidden", "password", "file", "submit", "button", "fieldset", "output"]);
  const me = () => document.body.dataset.who;
  const address = (form) => new URL(form.getAttribute("action") || "", location.href).pathname;
  const typed = (form) => [...form.elements].filter((field) => field.name && !UNTYPED.has(field.type));
  const isTicked = (field) => field.type === "radio" || field.type === "checkbox";
  const shape = (form) => typed(form).map((field) => field.name + (isTicked(field) ? field.value : "")).join("\n");
  const kin = (to, like) => [...document.forms].filter((form) => address(form) === to && shape(form) === like);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!me() || event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    const [to, like] = [address(form), shape(form)];
    const values = typed(form).map((field) => (isTicked(field) ? field.checked : field.value));
    sessionStorage.setItem(KEPT, JSON.stringify({ who: me(), to, like, nth: kin(to, like).indexOf(form), values }));
  });

  function fillIn(kept) {
    const form = kin(kept.to, kept.like)[kept.nth];
    if (!form) return;
    typed(form).forEach((field, n) => (field[isTicked(field) ? "checked" : "value"] = kept.values[n]));
    const sheet = form.closest("details");
    if (sheet) sheet.open = true;
  }

  const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
  if (!kept) return;
  if (location.pathname.startsWith("/login")) {
    sessionStorage.setItem(KEPT, JSON.stringify({ ...kept, unsaved: true }));
    return;
  }
  sessionStorage.removeItem(KEPT);
  if (kept.who === me() && (kept.unsaved || document.querySelector("#main .error"))) fillIn(kept);
})();
