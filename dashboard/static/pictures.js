// Pictures are made smaller before they leave the telephone.
(() => {
  "use strict";
  const LONGEST_SIDE = 1600;

  // The picture is sent as soon as it was taken, also from a form that was swapped in.
  function mark() {
    for (const form of document.querySelectorAll("form[data-shrink]")) form.classList.add("by-itself");
  }
  document.addEventListener("htmx:after:swap", mark);
  mark();
  // A picture from a telephone has ten times the bytes that are needed, and often says where it was taken.
  document.addEventListener("change", async (event) => {
    const field = event.target;
    if (field.type !== "file" || !field.form.hasAttribute("data-shrink") || !field.files.length) return;
    let picture;
    try {
      picture = await createImageBitmap(field.files[0]);
    } catch {
      field.form.requestSubmit(); // no picture at all: the gateway says so
      return;
    }
    const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.toBlob(
      (small) => {
        const chosen = new DataTransfer();
        chosen.items.add(new File([small], "picture.jpg", { type: "image/jpeg" }));
        field.files = chosen.files;
        field.form.requestSubmit();
      },
      "image/jpeg",
      0.85,
    );
  });
})();
