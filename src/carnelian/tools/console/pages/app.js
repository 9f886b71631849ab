// The frame: login, pages, shortcuts, light and dark.

import { call, logIn, onLoggedOut, session } from "./api.js";
import { clients } from "./clients.js";
import { button, h, show, svg, toast } from "./dom.js";
import { keys } from "./keys.js";
import { messages } from "./messages.js";
import { overview } from "./overview.js";
import { settings } from "./settings.js";
import { slow } from "./slow.js";
import { terminal } from "./terminal.js";
import { topology } from "./topology.js";

const PAGES = [overview, keys, messages, slow, clients, topology, settings, terminal];
const ICONS = {
  overview: "M3 17l5-6 4 4 8-9M3 21h18",
  keys: "M4 5h6M4 5v14M4 12h6M4 19h6M14 5h6M14 12h6M14 19h6",
  messages: "M4 5h16v11H9l-5 4z",
  slow: "M12 7v5l3 3M12 21a9 9 0 100-18 9 9 0 000 18",
  clients: "M9 11a4 4 0 100-8 4 4 0 000 8M2 21c0-4 3-7 7-7s7 3 7 7M16 4a4 4 0 010 7M18 14c2.500 1 4 3.500 4 7",
  topology: "M12 8a3 3 0 100-6 3 3 0 000 6M5 22a3 3 0 100-6 3 3 0 000 6M19 22a3 3 0 100-6 3 3 0 000 6M12 8v4M5 16v-4h14v4",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M16 9a2 2 0 100-4 2 2 0 000 4M8 19a2 2 0 100-4 2 2 0 000 4",
  terminal: "M4 6l6 6-6 6M12 18h8",
};
const THEMES = ["auto", "light", "dark"];

const icon = (name) => svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": true },
  svg("path", { d: ICONS[name] }));

let page = null;
let main = null;
let about = {};

// -- Light and dark ----------------------------------------------------------------------------------

function theme() {
  const wanted = localStorage.getItem("carnelian.theme");
  return THEMES.includes(wanted) ? wanted : "auto";
}

function applyTheme() {
  document.documentElement.dataset.theme = theme();
}

const themeLabel = () => ["◐", h("span", { class: "word" }, ` ${theme()}`)];

function nextTheme() {
  localStorage.setItem("carnelian.theme", THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
  applyTheme();
  document.querySelector("#theme").replaceChildren(...themeLabel());
}

// -- Login -------------------------------------------------------------------------------------------

function showLogin(told, reason = "") {
  closePage();
  // What somebody has seen is not for whoever comes next.
  terminal.forget();
  const name = h("input", { name: "username", autocomplete: "username", value: "default", required: true,
    spellcheck: "false", autocapitalize: "off" });
  const password = h("input", { name: "password", type: "password", autocomplete: "current-password" });
  const state = h("p", { class: "bad", role: "alert" }, reason);
  const form = h("form", { class: "login card", onsubmit: async (event) => {
    event.preventDefault();
    try {
      await logIn({ username: name.value, password: password.value });
      await enter();
    } catch (error) {
      state.textContent = error.message;
      password.select();
    }
  } },
  h("img", { src: "/stone.svg", alt: "", width: 40, height: 40 }), h("h1", {}, "Carnelian console"),
  h("p", { class: "muted" }, `Log in to ${told.server ?? "the server"} as one of its users.`),
  h("label", { class: "field" }, h("span", {}, "User"), name),
  h("label", { class: "field" }, h("span", {}, "Password"), password), state,
  h("div", { class: "row end" },
    told.open ? button("Go on without a login", () => openWithout(told), "quiet") : null,
    h("button", { type: "submit", class: "primary" }, "Log in")));
  document.body.replaceChildren(h("main", { class: "door" }, form));
  password.focus();
}

async function openWithout(told) {
  try {
    await logIn({});
    await enter();
  } catch (error) {
    showLogin(told, error.message);
  }
}

async function logOut() {
  await call("/api/logout").catch(() => {});
  showLogin(await session(), "");
}

// -- Pages -------------------------------------------------------------------------------------------

function closePage() {
  page?.close(main);
  page = null;
}

function route() {
  const wanted = PAGES.find(({ key }) => `#${key}` === location.hash) ?? PAGES[0];
  if (wanted === page) return;
  closePage();
  page = wanted;
  document.title = `${page.title} · ${about.address} · Carnelian`;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${page.key}`) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "center" });
    } else link.removeAttribute("aria-current");
  }
  main.replaceChildren();
  main.scrollTop = 0;
  page.open(main);
}

async function enter() {
  about = await call("/api/about");
  main = h("main", { id: "main", tabindex: -1 });
  const name = { carnelian: "Carnelian", redis: "Redis", valkey: "Valkey" }[about.name] ?? about.name;
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, "Skip to the page"),
    h("header", { class: "top" },
      h("img", { src: "/stone.svg", alt: "", width: 26, height: 26 }),
      h("div", { class: "server" }, h("b", {}, about.address),
        h("small", {}, `${name} ${about.version}${about.mode === "standalone" ? "" : `, ${about.mode}`}`)),
      h("div", { class: "row end grow" },
        button("?", help, "quiet", { title: "Shortcuts (?)", "aria-label": "Shortcuts" }),
        button(themeLabel(), nextTheme, "quiet", { id: "theme", title: "Light or dark (t)", "aria-label": "Light or dark" }),
        h("span", { class: "user muted" }, about.user),
        button("Log out", logOut, "quiet"))),
    h("nav", { "aria-label": "Pages" }, PAGES.map(({ title, key }, at) =>
      h("a", { href: `#${key}`, title: `${title} (${at + 1})` }, icon(key), h("span", {}, title)))),
    main);
  page = null;
  route();
}

function help() {
  const rows = [["1 - 8", "go to a page"], ["/", "search, or the line of commands"], ["r", "read again"],
    ["n", "make a key (Keys)"], ["↑ ↓ ← →", "move in the tree, fold and unfold"], ["Enter", "open what is marked"],
    ["Ctrl S", "save a value"], ["t", "light or dark"], ["Esc", "close a dialog, leave a field"], ["?", "this"]];
  show("Shortcuts", h("table", {}, h("tbody", {}, rows.map(([key, text]) =>
    h("tr", {}, h("td", {}, h("kbd", {}, key)), h("td", {}, text))))));
}

function press(event) {
  const typing = event.target.matches("input, textarea, select");
  if (event.key === "Escape" && typing && !document.querySelector("dialog[open]")) event.target.blur();
  if (typing || !page || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const number = Number(event.key);
  if (number >= 1 && number <= PAGES.length) location.hash = PAGES[number - 1].key;
  else if (event.key === "?") help();
  else if (event.key === "t") nextTheme();
  else if (!page.shortcut?.(event.key)) return;
  event.preventDefault();
}

// -- Start -------------------------------------------------------------------------------------------

async function start() {
  applyTheme();
  onLoggedOut(async (failure) => showLogin(await session().catch(() => ({})), failure.message));
  addEventListener("hashchange", () => { if (page) route(); });
  addEventListener("keydown", press);
  // The link that was printed at the start has a key that stays in this browser.
  const key = /^#key=([\w-]+)$/.exec(location.hash)?.[1];
  if (key) history.replaceState(null, "", "/");
  try {
    let told = await session();
    if (key) await logIn({ key });
    else if (!told.user && told.open) await logIn({});
    else if (!told.user) {
      showLogin(told);
      return;
    }
    told = await session();
    if (told.user) await enter();
    else showLogin(told);
  } catch (error) {
    showLogin(await session().catch(() => ({})), error.message);
    toast(error.message, true);
  }
}

start();
