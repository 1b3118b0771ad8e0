// @ts-check
/** Names the parts of the theme's page that it leaves nameless for screen readers. */

const content = document.getElementById("content");
content?.setAttribute("role", "main");
content?.setAttribute("tabindex", "-1");

const filter = document.getElementById("nav-filter");
filter?.setAttribute("placeholder", "Find a page");
filter?.setAttribute("aria-label", "Find a page of the menu");
