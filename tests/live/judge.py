"""What an automatic judge finds on a page: controls without a name, text too faint to read, too wide a page.

Names are those that Chromium computes for screen readers; contrast is that of WCAG 2.2 (1.4.3), of what is visible.
"""

from playwright.sync_api import Page

_CONTROLS = {
    *("button", "link", "checkbox", "radio", "switch", "combobox", "listbox", "textbox", "searchbox", "spinbutton"),
    *("slider", "progressbar", "menuitem", "tab", "image", "img", "DisclosureTriangle"),
}
_FAINT = """
() => {
  const numbers = (colour) => {
    const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (top, below) => below.map((part, index) => top[index] * top[3] + part * (1 - top[3])).slice(0, 3);
  const light = (colour) => {
    const [red, green, blue] = colour.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.backgroundImage !== "none") return null;
      const colour = numbers(style.backgroundColor);
      layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reduceRight((below, top) => over(top, below), numbers("Canvas").slice(0, 3));
  };
  const faint = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.closest("script, style, noscript, option, [disabled], .material-symbols-outlined")) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const box = element.getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1) continue;
    const ground = behind(element);
    if (!ground) continue;
    const style = getComputedStyle(element);
    const [bright, dark] = [over(numbers(style.color), ground), ground].map(light).sort((a, b) => b - a);
    const ratio = (bright + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) faint.set(`too faint (${ratio.toFixed(1)}): ${text.slice(0, 40)}`, true);
  }
  return [...faint.keys()];
}
"""


def complaints(page: Page) -> list[str]:
    """Give what is wrong with the page as it is shown; nothing is an empty list."""
    found = [*_nameless(page), *page.evaluate(_FAINT)]
    if (extra := page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
        found.append(f"too wide by {extra} pixels")
    if page.locator("main, [role=main]").count() != 1:
        found.append("no main landmark, or several")
    return found


def _nameless(page: Page) -> list[str]:
    session = page.context.new_cdp_session(page)
    try:
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        return [
            f"{node['role']['value']} without a name: {_html(session, node)}"
            for node in nodes
            if not node.get("ignored")
            and node.get("role", {}).get("value") in _CONTROLS
            and not str(node.get("name", {}).get("value", "")).strip()
        ]
    finally:
        session.detach()


def _html(session: object, node: dict[str, object]) -> str:
    outer = session.send("DOM.getOuterHTML", {"backendNodeId": node["backendDOMNodeId"]})  # type: ignore[attr-defined]
    return str(outer["outerHTML"])[:160]
