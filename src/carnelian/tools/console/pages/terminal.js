// The command line.

import { call } from "./api.js";
import { quoted } from "./data.js";
import { attempt, button, confirmed, h } from "./dom.js";

const REMEMBERED = 200;
const SHOWN = 300;
// Milliseconds after which a command is said to be running.
const PATIENCE = 300;
// What is asked about once more.
const RISKY = /^\s*(flushall|flushdb|shutdown|debug|keys|swapdb|replicaof|slaveof|failover|cluster\s+(reset|flushslots|forget)|config\s+set|script\s+flush|function\s+flush|acl\s+(setuser|deluser))\b/i;

/** A reply as redis-cli shows it. */
export function replyText(reply, indent = "") {
  if (reply === null) return "(nil)";
  if (typeof reply === "number") return `(integer) ${reply}`;
  if (typeof reply === "string" || reply.b64 !== undefined) return quoted(reply);
  if (reply.int !== undefined) return `(integer) ${reply.int}`;
  if (reply.status !== undefined) return reply.status;
  if (reply.error !== undefined) return `(error) ${reply.error}`;
  if (!reply.length) return "(empty array)";
  const width = String(reply.length).length;
  return reply.map((item, at) => {
    const head = `${String(at + 1).padStart(width)}) `;
    return (at ? indent : "") + head + replyText(item, indent + " ".repeat(head.length));
  }).join("\n");
}

export const terminal = {
  title: "Command line",
  key: "terminal",

  open(root) {
    this.history = JSON.parse(sessionStorage.getItem("carnelian.history") ?? "[]");
    this.at = this.history.length;
    this.db = 0;
    this.output ??= h("div", { class: "output", role: "log", "aria-label": "Output", tabindex: 0 });
    this.prompt = h("label", { class: "prompt", for: "line" }, "0>");
    this.hint = h("div", { class: "hint", role: "status" });
    this.offers = h("ul", { class: "offers", role: "listbox", id: "offers", "aria-label": "Commands", hidden: true });
    this.input = h("input", { id: "line", type: "text", autocomplete: "off", spellcheck: "false", autocapitalize: "off",
      placeholder: "A command, such as GET user:1", role: "combobox", "aria-expanded": "false",
      "aria-controls": "offers", "aria-autocomplete": "list",
      oninput: () => this.typed(), onkeydown: (event) => this.press(event) });
    root.classList.add("full");
    root.append(h("div", { class: "terminal" },
      h("div", { class: "row between" }, h("h1", {}, "Command line"),
        button("Clear", () => this.output.replaceChildren(), "quiet")),
      this.output, this.offers,
      h("div", { class: "command" }, this.prompt, this.input), this.hint));
    // A longer hint leaves less room: the last lines stay in sight.
    this.resized = new ResizeObserver(() => this.showLast());
    this.resized.observe(this.output);
    this.names ??= attempt(() => call("/api/commands"));
    this.docs ??= new Map();
    this.input.focus();
  },

  close(root) {
    this.resized?.disconnect();
    root.classList.remove("full");
  },

  /** Forget what was shown and typed: somebody else may come. */
  forget() {
    this.output = this.names = this.docs = undefined;
    sessionStorage.removeItem("carnelian.history");
  },

  shortcut(key) {
    if (key === "/") this.input.focus();
    return key === "/";
  },

  async typed() {
    const words = this.input.value.trimStart().toUpperCase();
    const all = (await this.names)?.commands ?? [];
    const offered = words && !words.includes(" ") ? all.filter((name) => name.startsWith(words) && !name.includes(" "))
      : all.filter((name) => name.includes(" ") && name.startsWith(words) && name !== words.trim());
    this.offered = words ? offered.slice(0, 8) : [];
    this.chosen = -1;
    this.drawOffers();
    this.describe(words, all);
  },

  drawOffers() {
    const { offered, chosen } = this;
    this.offers.hidden = !offered.length;
    this.input.setAttribute("aria-expanded", String(Boolean(offered.length)));
    this.offers.replaceChildren(...offered.map((name, at) => h("li", { role: "option", id: `offer${at}`,
      "aria-selected": String(at === chosen), onpointerdown: (event) => { event.preventDefault(); this.take(name); } }, name)));
    if (chosen >= 0) this.input.setAttribute("aria-activedescendant", `offer${chosen}`);
    else this.input.removeAttribute("aria-activedescendant");
  },

  /** Say how the command that is being typed is written. */
  async describe(words, all) {
    const two = words.split(/\s+/).slice(0, 2).join(" ");
    const one = two.split(" ")[0];
    const name = all.includes(two) ? two : all.includes(one) ? one : "";
    this.naming = name;
    if (!name) {
      this.hint.textContent = "";
      return;
    }
    if (!this.docs.has(name)) {
      this.docs.set(name, call("/api/commands/describe", { name }).catch(() => ({})));
    }
    const docs = await this.docs.get(name);
    if (this.naming !== name) return;
    this.hint.replaceChildren(h("b", {}, name), ` ${docs.arguments ?? ""}`,
      docs.summary ? h("span", { class: "muted" }, ` ${docs.summary}`) : "");
  },

  take(name) {
    this.input.value = `${name} `;
    this.offered = [];
    this.drawOffers();
    this.typed();
    this.input.focus();
  },

  press(event) {
    const { key } = event;
    if (key === "Tab" && this.offered?.length && !event.shiftKey) {
      event.preventDefault();
      this.take(this.offered[Math.max(this.chosen, 0)]);
    } else if (key === "Escape" && this.offered?.length) {
      event.stopPropagation();
      this.offered = [];
      this.drawOffers();
    } else if ((key === "ArrowDown" || key === "ArrowUp") && this.offered?.length && this.input.value) {
      event.preventDefault();
      const step = key === "ArrowDown" ? 1 : -1;
      this.chosen = (this.chosen + step + this.offered.length) % this.offered.length;
      this.drawOffers();
    } else if (key === "ArrowUp" || key === "ArrowDown") {
      event.preventDefault();
      this.recall(key === "ArrowUp" ? -1 : 1);
    } else if (key === "Enter") {
      // It would press the first button of a dialog that opens now.
      event.preventDefault();
      if (this.chosen >= 0) this.take(this.offered[this.chosen]);
      else this.run();
    }
  },

  recall(step) {
    this.at = Math.min(Math.max(this.at + step, 0), this.history.length);
    this.input.value = this.history[this.at] ?? "";
    this.offered = [];
  },

  async run() {
    const line = this.input.value.trim();
    if (!line) return;
    if (RISKY.test(line) && !await confirmed("Run this?", line, "Run it")) return;
    this.input.value = "";
    this.offered = [];
    this.drawOffers();
    this.hint.textContent = "";
    if (this.history.at(-1) !== line) this.history.push(line);
    this.history = this.history.slice(-REMEMBERED);
    this.at = this.history.length;
    sessionStorage.setItem("carnelian.history", JSON.stringify(this.history));
    const shown = h("div", { class: "entry" }, h("div", { class: "asked" }, h("span", { class: "prompt" }, this.prompt.textContent), line));
    const slow = h("small", { class: "muted", hidden: true }, "running…");
    shown.append(slow);
    const timer = setTimeout(() => { slow.hidden = false; this.showLast(); }, PATIENCE);
    this.output.append(shown);
    while (this.output.childElementCount > SHOWN) this.output.firstElementChild.remove();
    this.showLast();
    try {
      const told = await call("/api/typed", { line });
      this.db = told.db;
      this.prompt.textContent = `${told.db}>`;
      shown.append(h("pre", { class: told.reply?.error === undefined ? "" : "bad" }, replyText(told.reply)),
        h("small", { class: "muted" }, `${told.ms} ms${told.node ? `, from ${told.node}` : ""}${told.cut ? ", shortened" : ""}`));
    } catch (error) {
      shown.append(h("pre", { class: "bad" }, error.message));
    }
    clearTimeout(timer);
    slow.remove();
    this.showLast();
    this.input.focus();
  },

  showLast() {
    this.output.scrollTop = this.output.scrollHeight;
  },
};
