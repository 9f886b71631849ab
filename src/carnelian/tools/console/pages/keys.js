// The keys as a tree, and the value of the one that is chosen.

import { call } from "./api.js";
import { ask, attempt, button, h, select, short, toast, whole } from "./dom.js";
import { KeyTree } from "./tree.js";
import { ValuePane } from "./value.js";

const TYPES = ["string", "hash", "list", "set", "zset", "stream", "array"];
const ENOUGH = 5000;
// Milliseconds that a search goes on by itself before it asks whether to go on.
const PATIENCE = 5000;

/** A pattern of SCAN for what was typed: what has no wildcards is searched anywhere. */
export function patternOf(text) {
  if (!text) return "*";
  return /[*?[]/.test(text) ? text : `*${text}*`;
}

export const keys = {
  title: "Keys",
  key: "keys",

  open(root) {
    this.search = h("input", { type: "search", placeholder: "Search: word, or user:*", id: "search",
      "aria-label": "Search keys", autocomplete: "off", spellcheck: "false",
      oninput: () => { clearTimeout(this.typing); this.typing = setTimeout(() => this.reload(), 300); },
      onkeydown: (event) => { if (event.key === "ArrowDown") { event.preventDefault(); this.tree.focus(); } } });
    this.type = select([["", "All types"], ...TYPES.map((type) => [type, type])], "",
      () => this.reload(), { "aria-label": "Type" });
    this.database = select([["0", "db 0"]], "0", () => { this.value.clear(); this.reload(); },
      { "aria-label": "Database" });
    this.status = h("div", { class: "status", role: "status" });
    this.tree = new KeyTree((key) => this.choose(key));
    this.more = button("Search on", () => this.load(), "", { hidden: true });
    this.value = new ValuePane({
      database: () => Number(this.database.value),
      gone: (key) => this.removed(key),
      renamed: (from, to, type) => { this.tree.remove(from); this.tree.add([[to, type]]); this.choose(to); },
      back: () => { this.split.classList.remove("chosen"); this.tree.focus(); },
    });
    this.split = h("div", { class: "split" },
      h("section", { class: "pane list", "aria-label": "Keys" },
        h("div", { class: "row tools" }, this.search,
          button("+ Key", () => this.create(), "primary", { title: "Make a key (n)" })),
        h("div", { class: "row tools" }, this.database, this.type,
          button("Refresh", () => this.reload(), "", { title: "Read the keys again (r)" })),
        this.tree.element, h("div", { class: "row tools foot" }, this.status, h("div", { class: "row" }, this.more,
          button("Delete these…", () => this.deleteShown(), "quiet bad")))),
      this.value.element);
    root.append(this.split);
    root.classList.add("full");
    this.showDatabases();
    this.reload();
  },

  close(root) {
    root.classList.remove("full");
    this.run = null;
    this.value.clear();
  },

  shortcut(key) {
    if (key === "/") this.search.focus();
    else if (key === "n") this.create();
    else if (key === "r") this.reload();
    else return false;
    return true;
  },

  async showDatabases() {
    const told = await attempt(() => call("/api/databases"));
    if (!told) return;
    const filled = Object.keys(told.filled).map(Number);
    const most = Math.max(Math.min(told.count, 16), ...filled.map((number) => number + 1), 1);
    const now = this.database.value;
    this.database.replaceChildren(...Array.from({ length: told.cluster ? 1 : most }, (_, number) =>
      h("option", { value: number }, told.filled[number]
        ? `db ${number} (${short(told.filled[number])})` : `db ${number}`)));
    this.database.value = now;
    this.note = told.cluster ? " of this node" : "";
  },

  reload() {
    this.tree.clear();
    this.cursor = "0";
    this.looked = 0;
    this.load();
  },

  /** Look for more keys, until there are enough for now, it takes long, or there are none. */
  async load() {
    const run = {};
    this.run = run;
    this.more.hidden = true;
    const began = performance.now();
    const before = this.tree.count;
    do {
      const wanted = { db: Number(this.database.value), match: patternOf(this.search.value.trim()),
        type: this.type.value, cursor: this.cursor };
      const told = await attempt(() => call("/api/keys", wanted));
      if (this.run !== run || !told) return;
      this.cursor = told.cursor;
      this.looked += told.looked;
      this.tree.add(told.keys);
      this.showStatus(told.size);
    } while (this.cursor !== "0" && this.tree.count - before < ENOUGH
      && performance.now() - began < PATIENCE);
    this.more.hidden = this.cursor === "0";
  },

  showStatus(size) {
    const all = this.cursor === "0";
    const share = size ? Math.min(Math.round((this.looked / size) * 100), 99) : 0;
    this.status.textContent = `${whole(this.tree.count)} ${this.tree.count === 1 ? "key" : "keys"}`
      + (all ? (size === null ? "" : ` of ${whole(size)}${this.note ?? ""}`) : `, ${share} % looked at`);
    this.tree.note(all && !this.tree.count
      ? (size ? "No key matches." : "There are no keys here yet.") : "");
  },

  choose(key) {
    this.tree.mark(key);
    this.split.classList.add("chosen");
    this.value.show(key);
  },

  removed(key) {
    this.tree.remove(key);
    this.split.classList.remove("chosen");
    this.showDatabases();
  },

  async deleteShown() {
    const listed = this.tree.keys();
    if (!listed.length) return toast("No keys are listed.");
    const pattern = patternOf(this.search.value.trim());
    const sure = await ask(`Delete ${whole(listed.length)} keys?`, [{ name: "word", required: true,
      label: `Type the number of keys, ${listed.length}, to delete those that are listed` }],
    { submit: "Delete them", danger: true, text: `They are what was found for ${pattern} so far.` });
    if (!sure || sure.word.replace(/\D/g, "") !== String(listed.length)) return undefined;
    let gone = 0;
    for (let at = 0; at < listed.length; at += 500) {
      const told = await attempt(() => call("/api/keys/delete", {
        db: Number(this.database.value), keys: listed.slice(at, at + 500) }));
      if (!told) break;
      gone += told.done;
    }
    toast(`${whole(gone)} keys were deleted.`);
    this.value.clear();
    this.showDatabases();
    return this.reload();
  },

  async create() {
    const show = (inputs) => {
      const kind = inputs.type.value;
      const wanted = { field: ["hash", "stream"], score: ["zset"], index: ["array"] };
      for (const [name, kinds] of Object.entries(wanted)) {
        inputs[name].closest("[data-field]").hidden = !kinds.includes(kind);
      }
    };
    const made = await ask("New key", [
      { name: "key", label: "Key", required: true, placeholder: "user:1" },
      { name: "type", label: "Type", type: "select", options: TYPES, value: "string",
        follow: (inputs) => { inputs.type.addEventListener("change", () => show(inputs)); show(inputs); } },
      { name: "field", label: "Field" },
      { name: "score", label: "Score", type: "number", step: "any", value: "0" },
      { name: "index", label: "Index", type: "number", min: 0, value: "0" },
      { name: "value", label: "Value", type: "textarea", rows: 4 },
      { name: "ttl", label: "Seconds to live", type: "number", min: 1, help: "Empty: no end." },
    ], { submit: "Make it" });
    if (!made) return;
    const { key, type, field, value, score, index } = made;
    const told = await attempt(() => call("/api/edit", { action: "key.create", key, type, value,
      field, score, index, pairs: [field, value], db: Number(this.database.value),
      ttl: made.ttl ? Math.round(Number(made.ttl) * 1000) : null }));
    if (!told) return;
    this.tree.add([[key, type]]);
    this.tree.reveal(key);
    this.choose(key);
    this.showDatabases();
  },
};
