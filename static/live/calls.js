// @ts-check
// Keeps the list of live calls up to date: the page itself is asked again, and its list put in place of this one.

const SECONDS = 2;

/** @param {Document} page */
function listOf(page) {
  const list = page.getElementById("calls");
  if (!list) throw new TypeError("the page has no list of calls");
  return list;
}

async function look() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", headers: { Accept: "text/html" } });
    if (answer.ok && !answer.redirected) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // The server is away; what is shown stays until it is back.
  }
  setTimeout(look, SECONDS * 1000);
}

/** @param {Document} page */
function show(page) {
  const fresh = listOf(page);
  const shown = listOf(document);
  if (fresh.isEqualNode(shown)) return;
  const focused = document.activeElement?.id;
  shown.replaceWith(document.adoptNode(fresh));
  if (focused) document.getElementById(focused)?.focus();
  const said = document.getElementById("said");
  if (said && fresh.dataset.count !== shown.dataset.count) said.textContent = fresh.querySelector("h2")?.textContent ?? "";
}

setTimeout(look, SECONDS * 1000);
