// Draws each chart from the table below it. Without this script the sentence and the table are there all the same.
(() => {
  const drawn = new Map();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = (cell) => (cell.textContent.trim() === "" ? null : Number(cell.textContent));

  function options(figure, labels, heads, width) {
    const ink = colour("--soft"), line = colour("--line");
    const strokes = [colour("--life"), colour("--blue"), colour("--amber")];
    const units = [...new Set(heads.map((head) => head.dataset.unit))];
    const scales = { x: { time: false, range: (plot, low, high) => [low - 0.6, high + 0.6] } };
    for (const head of heads) {
      const most = Number(head.dataset.most) || null;
      scales[head.dataset.unit] = { range: (plot, low, high) => [0, most || Math.max(high * 1.1, 1)] };
    }
    const font = "13px system-ui, sans-serif";
    const axis = { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    return {
      width,
      height: 220,
      legend: { live: false },
      cursor: { show: false },
      scales,
      series: [
        {},
        ...heads.map((head, at) => ({
          label: `${head.firstChild.textContent.trim()} (${head.dataset.unit})`,
          scale: head.dataset.unit,
          stroke: strokes[at],
          width: 2.5,
          spanGaps: false,
          fill: head.dataset.drawn === "bars" ? strokes[at] : undefined,
          paths: head.dataset.drawn === "bars" ? uPlot.paths.bars({ size: [0.7, 44] }) : undefined,
          points: { show: head.dataset.drawn !== "bars" && labels.length < 32, size: 6, fill: strokes[at] },
        })),
      ],
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 30,
          space: 50,
          incrs: [1, 2, 3, 4, 7, 14, 28],
          values: (plot, splits) => splits.map((at) => labels[at] ?? ""),
        },
        ...units.map((unit, at) => ({
          ...axis,
          scale: unit,
          side: at ? 1 : 3,
          grid: { ...axis.grid, show: !at },
          size: 46,
        })),
      ],
    };
  }

  function draw(figure) {
    const place = figure.querySelector(".plot"), table = figure.querySelector("details table");
    const rows = [...table.tBodies[0].rows], heads = [...table.tHead.rows[0].cells].slice(1);
    const labels = rows.map((row) => row.cells[0].textContent);
    const values = heads.map((head, at) => rows.map((row) => number(row.cells[at + 1])));
    drawn.get(figure)?.destroy();
    const width = Math.max(place.clientWidth, 200);
    drawn.set(figure, new uPlot(options(figure, labels, heads, width), [rows.map((row, at) => at), ...values], place));
  }

  const sizes = new ResizeObserver((changes) => {
    for (const { target } of changes) {
      const plot = drawn.get(target.closest("figure"));
      if (plot && Math.abs(plot.width - target.clientWidth) > 1) plot.setSize({ width: Math.max(target.clientWidth, 200), height: 220 });
    }
  });

  function look() {
    for (const figure of drawn.keys()) if (!figure.isConnected) drawn.delete(figure);
    for (const figure of document.querySelectorAll("figure.chart")) {
      if (drawn.has(figure)) continue;
      draw(figure);
      sizes.observe(figure.querySelector(".plot"));
    }
  }

  look();
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => [...drawn.keys()].forEach(draw));
})();
