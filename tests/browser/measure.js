({
  // What a thumb cannot hit: smaller than 44 by 44.
  tooSmall() {
    const targets = "a, button, select, summary, input:not([type=hidden]):not([type=radio])";
    return [...document.querySelectorAll(targets)]
      .filter((element) => element.checkVisibility() && !element.closest(".skip"))
      // Who taps the words of a tick taps the tick.
      .map((element) => (element.matches("[type=checkbox], [type=file]") && element.closest("label")) || element)
      .map((element) => [element.textContent.trim().slice(0, 30), element.getBoundingClientRect()])
      .filter(([, box]) => box.height < 44 || box.width < 44)
      .map(([text, box]) => `${text}: ${box.width} x ${box.height}`);
  },
  // What is hard to read: contrast below 4.5, or below 3 where it is large (WCAG 2 AA).
  faint() {
    const parts = (colour) => {
      const numbers = colour.match(/[\d.]+/g).map(Number);
      return numbers.length === 4 ? numbers : [...numbers, 1];
    };
    const linear = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const light = ([red, green, blue]) =>
      0.2126 * linear(red / 255) + 0.7152 * linear(green / 255) + 0.0722 * linear(blue / 255);
    const ground = (element) => {
      for (let under = element; under; under = under.parentElement) {
        const colour = parts(getComputedStyle(under).backgroundColor);
        if (colour[3] === 1) return colour;
      }
      return [255, 255, 255, 1];
    };
    const found = [];
    for (const element of document.querySelectorAll("body *")) {
      const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
      if (!hasText || !element.checkVisibility() || element.closest("svg, .hidden, .skip")) continue;
      const style = getComputedStyle(element);
      const [lighter, darker] = [light(parts(style.color)), light(ground(element))].sort((x, y) => y - x);
      const ratio = (lighter + 0.05) / (darker + 0.05);
      if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5))
        found.push(`${element.textContent.trim().slice(0, 20)}: ${ratio.toFixed(2)}`);
    }
    return found;
  },
  // What makes the page scroll sideways: whatever reaches over its right edge and is not in a box that scrolls itself.
  tooWide() {
    const root = document.documentElement;
    if (root.scrollWidth <= window.innerWidth) return [];
    return [...document.querySelectorAll("body *")]
      .filter((element) => element.checkVisibility() && !element.closest(".scroll, .skip, .hidden"))
      .filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1)
      .map((element) => `${element.tagName}.${element.className}: ${element.textContent.trim().slice(0, 30)}`)
      .slice(-4)
      .concat(`${root.scrollWidth} > ${window.innerWidth}`);
  },
  // The same while the type is twice as large.
  inLargeType() {
    document.documentElement.style.fontSize = "200%";
    const found = this.tooWide();
    document.documentElement.style.fontSize = "";
    return found;
  },
  // Everything that is folded away is unfolded, but the menu, which would lie over it.
  openAll() {
    for (const folded of document.querySelectorAll("details:not(.menu)")) folded.open = true;
  },
  // Whether what has the focus shows it: by its own outline, or by that of the words beside it or around it.
  showsFocus() {
    const at = document.activeElement;
    return [at, at.nextElementSibling, at.closest("label")]
      .filter(Boolean)
      .some((one) => getComputedStyle(one).outlineStyle !== "none" && parseFloat(getComputedStyle(one).outlineWidth) >= 2);
  },
  // Nothing makes the page scroll sideways.
  isWhole: () => document.documentElement.scrollWidth <= window.innerWidth,
})
