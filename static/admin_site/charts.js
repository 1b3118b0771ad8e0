// @ts-check
/** Brings the theme's charts up to date when a part of the page has refreshed itself. */

/**
 * @typedef {{labels: string[], datasets: {label: string, data: number[], backgroundColor: string, stack: string}[]}} Figures
 * @typedef {{data: Figures, update: (mode?: string) => void}} Chart
 */

/** @param {string} name */
function resolve(name) {
  const variable = /^var\((--[\w-]+)\)$/.exec(name);
  return variable ? getComputedStyle(document.documentElement).getPropertyValue(variable[1]) : name;
}

function refresh() {
  const stored = document.getElementById("v-chart-data");
  const canvas = document.getElementById("v-campaign-chart");
  /** @type {{getChart: (canvas: Element) => Chart | undefined} | undefined} */
  const library = /** @type {any} */ (window).Chart;
  const chart = canvas && library?.getChart(canvas);
  if (!stored?.textContent || !chart) return;
  const figures = /** @type {Figures} */ (JSON.parse(stored.textContent));
  for (const dataset of figures.datasets) dataset.backgroundColor = resolve(dataset.backgroundColor);
  chart.data = figures;
  chart.update("none");
}

document.addEventListener("htmx:afterSettle", refresh);
