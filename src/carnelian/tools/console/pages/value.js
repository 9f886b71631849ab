// The value of one key: what it is, what is in it, and how it is changed.

import { call } from "./api.js";
import { isText, nameOf, visible } from "./data.js";
import { ask, attempt, button, bytes, confirmed, empty, h, span, table, toast, whole } from "./dom.js";
import { askValue, StringEditor } from "./editors.js";
import { streamView } from "./streams.js";

const SEARCHED = ["hash", "set", "zset"];
const REVERSED = { list: "From the end", zset: "Highest first", stream: "Oldest first" };

/** How long something has left, of milliseconds; -1 is for ever. */
export const timeLeft = (ms) => (ms === null ? "" : ms < 0 ? "no end" : span(ms / 1000));

/** Ask for a time to live; undefined if called off, null for none. */
export async function askTtl(title, ms) {
  const told = await ask(title, [{ name: "ttl", type: "number", min: 0.001, step: "any",
    label: "Seconds to live", value: ms > 0 ? ms / 1000 : "", help: "Empty: no end." }]);
  if (!told) return undefined;
  return told.ttl ? Math.max(1, Math.round(Number(told.ttl) * 1000)) : null;
}

export class ValuePane {
  /** `owner` has `database()`, and is told `gone(key)`, `renamed(from, to, type)` and `back()`. */
  constructor(owner) {
    this.owner = owner;
    this.element = h("section", { class: "pane value", "aria-label": "Value" });
    this.clear();
  }

  clear() {
    this.key = null;
    this.element.replaceChildren(empty("Choose a key on the left, or make one with ",
      h("kbd", {}, "n"), "."));
  }

  /** Send a change of this key, and show what it has come to. */
  async edit(action, wanted = {}, told = "") {
    const done = await attempt(() =>
      call("/api/edit", { action, key: this.key, db: this.owner.database(), ...wanted }));
    if (!done) return false;
    if (told) toast(told);
    await this.refresh();
    return true;
  }

  async show(key) {
    this.key = key;
    this.match = "";
    this.reverse = false;
    this.whole = false;
    this.form = null;
    await this.refresh();
  }

  async refresh() {
    const { key } = this;
    const told = await attempt(() => this.read(null));
    if (this.key === null || nameOf(this.key) !== nameOf(key) || !told) return;
    if (told.type === "none") {
      toast("The key is gone.");
      this.owner.gone(key);
      this.clear();
      return;
    }
    this.told = told;
    this.draw();
  }

  read(cursor) {
    const wanted = { key: this.key, db: this.owner.database(), reverse: this.reverse, whole: this.whole };
    if (cursor !== null) wanted.cursor = cursor;
    if (this.match) wanted.match = /[*?[]/.test(this.match) ? this.match : `*${this.match}*`;
    return call("/api/value", wanted);
  }

  draw() {
    const { told } = this;
    const focused = document.activeElement?.closest("[data-keep]")?.dataset.keep;
    this.element.replaceChildren(
      h("header", { class: "value-head" },
        button("‹ Keys", () => this.owner.back(), "quiet back"),
        h("h2", { title: visible(this.key) }, visible(this.key)),
        h("div", { class: "row actions" },
          button("Refresh", () => this.refresh()),
          button("Rename", () => this.rename()),
          button("Copy", () => this.copy()),
          button("Delete", () => this.remove(), "danger")),
        h("div", { class: "row meta" },
          h("span", { class: `type ${told.type}` }, told.type),
          button(told.ttl < 0 ? "no end" : `${timeLeft(told.ttl)} left`, () => this.expire(), "chip",
            { title: "Change how long it lives" }),
          told.size === undefined ? null : this.meta(told.type === "string" ? "length" : "size",
            whole(told.size)),
          told.length === undefined ? null : this.meta("up to index", whole(told.length)),
          told.encoding ? this.meta("kept as", told.encoding) : null,
          told.memory === null ? null : this.meta("memory", bytes(told.memory)),
          told.idle ? this.meta("unused for", span(told.idle)) : null)),
      this.body());
    if (focused) this.element.querySelector(`[data-keep="${focused}"]`)?.focus();
  }

  meta(label, text) {
    return h("span", { class: "fact" }, `${label} `, h("b", {}, text));
  }

  body() {
    const { type } = this.told;
    if (type === "string") return new StringEditor(this).element;
    if (!VIEWS[type]) {
      return empty(`Values of the type ${type} belong to a module; the command line can ask for them.`);
    }
    return h("div", { class: "stack" }, this.tools(type), ...VIEWS[type](this), this.moreButton());
  }

  tools(type) {
    return h("div", { class: "row tools" },
      SEARCHED.includes(type) ? h("input", { type: "search", value: this.match, "data-keep": "match",
        placeholder: type === "hash" ? "Search fields" : "Search members",
        "aria-label": "Search in the value",
        onchange: (event) => { this.match = event.target.value.trim(); this.refresh(); } }) : null,
      REVERSED[type] ? h("label", { class: "check" }, h("input", { type: "checkbox", checked: this.reverse,
        "data-keep": "reverse",
        onchange: (event) => { this.reverse = event.target.checked; this.refresh(); } }),
      REVERSED[type]) : null,
      button(ADDED[type].text, () => ADDED[type].add(this), "primary"));
  }

  moreButton() {
    if (this.told.cursor === null) return null;
    return h("div", { class: "row" }, button("Show more", async () => {
      const next = await attempt(() => this.read(this.told.cursor));
      if (!next) return;
      this.told.items.push(...next.items);
      this.told.cursor = next.cursor;
      this.draw();
    }, "", { "data-keep": "more" }), h("span", { class: "muted" },
      `${whole(this.told.items.length)} of ${whole(this.told.size)} are shown`));
  }

  // -- The key ---------------------------------------------------------------------------------------

  async rename() {
    if (!isText(this.key)) return toast("The name is no text: rename it in the command line.", true);
    const told = await ask("Rename the key", [
      { name: "name", label: "New name", value: this.key, required: true },
      { name: "overwrite", type: "checkbox", label: "Replace a key that has this name" }],
    { submit: "Rename" });
    if (!told || told.name === this.key) return undefined;
    const from = this.key;
    const done = await attempt(() => call("/api/edit", { action: "key.rename", key: from, ...told,
      db: this.owner.database() }));
    return done && this.owner.renamed(from, told.name, this.told.type);
  }

  async copy() {
    const told = await ask("Copy the key", [{ name: "name", label: "Name of the copy", required: true,
      value: isText(this.key) ? `${this.key}:copy` : "" }], { submit: "Copy" });
    if (told) await this.edit("key.copy", told, `It was copied to ${told.name}.`);
  }

  async expire() {
    const ttl = await askTtl("Time to live of the key", this.told.ttl);
    if (ttl !== undefined) await this.edit("key.expire", { ttl });
  }

  async remove() {
    const { key } = this;
    if (!await confirmed("Delete the key?", visible(key), "Delete")) return;
    const done = await attempt(() => call("/api/edit", { action: "key.delete", key, db: this.owner.database() }));
    if (!done) return;
    toast("The key was deleted.");
    this.owner.gone(key);
    this.clear();
  }

  /** The whole of an element that was shortened, with its mark. */
  async fullElement(item, wanted) {
    if (!item.cut) return item;
    return attempt(() => call("/api/element", { key: this.key, db: this.owner.database(),
      type: this.told.type, ...wanted }));
  }

  /** Ask before something is removed, and remove it. */
  async removeItem(text, action, wanted) {
    if (await confirmed("Remove it?", text, "Remove")) await this.edit(action, wanted);
  }
}

// -- Elements ----------------------------------------------------------------------------------------

/** A value in a cell. */
export function cell(item) {
  return h("td", { class: "data" }, h("code", { class: isText(item.value) ? "" : "binary" },
    visible(item.value)), item.cut ? h("small", {}, ` … ${bytes(item.size)}`) : null);
}

/** Buttons at the end of a row. */
export function actions(...buttons) {
  return h("td", { class: "actions" }, h("div", { class: "row" }, buttons));
}

const small = (text, action, kind = "quiet", what = "") =>
  button(text, action, kind, { "aria-label": `${text} ${what}` });

const VIEWS = {
  hash(pane) {
    const lives = pane.told.items.some(({ ttl }) => ttl !== null);
    return [table([{ text: "Field" }, { text: "Value" }, lives ? { text: "Lives" } : { text: "" }, {}],
      pane.told.items.map((item) => h("tr", {}, cell({ value: item.field }), cell(item),
        h("td", {}, item.ttl === null ? "" : button(timeLeft(item.ttl), async () => {
          const ttl = await askTtl("Time to live of the field", item.ttl);
          if (ttl !== undefined) await pane.edit("hash.expire", { field: item.field, ttl });
        }, "chip")),
        actions(small("Edit", () => editField(pane, item), "quiet", visible(item.field)),
          small("Remove", () => pane.removeItem(visible(item.field), "hash.delete",
            { field: item.field }), "quiet bad", visible(item.field))))), { label: "Fields" })];
  },
  list(pane) {
    return [table([{ text: "Index", number: true }, { text: "Value" }, {}],
      pane.told.items.map((item) => h("tr", {}, h("td", { class: "number" }, whole(item.index)), cell(item),
        actions(small("Edit", () => editItem(pane, item, "list.set"), "quiet", String(item.index)),
          small("Remove", () => pane.removeItem(`${item.index}: ${visible(item.value)}`, "list.delete",
            { index: String(item.index), version: item.version }), "quiet bad", String(item.index))))),
    { label: "Elements" })];
  },
  set(pane) {
    return [table([{ text: "Member" }, {}], pane.told.items.map((item) => h("tr", {}, cell(item),
      actions(item.cut ? null : small("Edit", async () => {
        const value = await askValue("Member", item.value);
        if (value !== undefined && nameOf(value) !== nameOf(item.value)) {
          await pane.edit("set.add", { value, old: item.value });
        }
      }, "quiet", visible(item.value)),
      item.cut ? null : small("Remove", () => pane.removeItem(visible(item.value), "set.delete",
        { value: item.value }), "quiet bad", visible(item.value))))), { label: "Members" })];
  },
  zset(pane) {
    return [table([{ text: "Score", number: true }, { text: "Member" }, {}],
      pane.told.items.map((item) => h("tr", {}, h("td", { class: "number" }, item.score), cell(item),
        actions(item.cut ? null : small("Edit", () => editScored(pane, item), "quiet", visible(item.value)),
          item.cut ? null : small("Remove", () => pane.removeItem(visible(item.value), "zset.delete",
            { value: item.value }), "quiet bad", visible(item.value))))), { label: "Members by score" })];
  },
  array(pane) {
    return [table([{ text: "Index", number: true }, { text: "Value" }, {}],
      pane.told.items.map((item) => h("tr", {}, h("td", { class: "number" }, item.index), cell(item),
        actions(small("Edit", () => editItem(pane, item, "array.set"), "quiet", item.index),
          small("Remove", () => pane.removeItem(`${item.index}: ${visible(item.value)}`, "array.delete",
            { index: item.index }), "quiet bad", item.index)))), { label: "Elements" })];
  },
  stream: streamView,
};

async function editField(pane, item) {
  const full = await pane.fullElement(item, { field: item.field });
  if (!full) return;
  const value = await askValue(`Value of ${visible(item.field)}`, full.value);
  if (value !== undefined) await pane.edit("hash.set", { field: item.field, value, version: full.version });
}

async function editItem(pane, item, action) {
  const index = String(item.index);
  const full = await pane.fullElement(item, { index });
  if (!full) return;
  const value = await askValue(`Element ${index}`, full.value);
  if (value !== undefined) await pane.edit(action, { index, value, version: full.version });
}

async function editScored(pane, item) {
  const told = await ask("Member", [
    { name: "score", label: "Score", type: "text", value: item.score, required: true },
    ...(isText(item.value) ? [{ name: "value", label: "Member", type: "textarea", rows: 3, value: item.value }] : [])]);
  if (told) {
    await pane.edit("zset.set", { score: told.score, value: told.value ?? item.value, old: item.value });
  }
}

const ADDED = {
  hash: { text: "Add a field", async add(pane) {
    const told = await ask("New field", [{ name: "field", label: "Field", required: true },
      { name: "value", label: "Value", type: "textarea", rows: 4 }], { submit: "Add" });
    if (told) await pane.edit("hash.set", told);
  } },
  list: { text: "Add an element", async add(pane) {
    const told = await ask("New element", [{ name: "value", label: "Value", type: "textarea", rows: 4 },
      { name: "end", label: "Where", type: "select", options: [["right", "At the end"], ["left", "At the beginning"]], value: "right" }],
    { submit: "Add" });
    if (told) await pane.edit("list.push", told);
  } },
  set: { text: "Add a member", async add(pane) {
    const value = await askValue("New member", "");
    if (value !== undefined) await pane.edit("set.add", { value });
  } },
  zset: { text: "Add a member", async add(pane) {
    const told = await ask("New member", [{ name: "value", label: "Member", type: "textarea", rows: 3 },
      { name: "score", label: "Score", value: "0", required: true }], { submit: "Add" });
    if (told) await pane.edit("zset.set", told);
  } },
  array: { text: "Set an element", async add(pane) {
    const told = await ask("Set an element", [
      { name: "index", label: "Index", required: true, value: String(pane.told.length ?? 0) },
      { name: "value", label: "Value", type: "textarea", rows: 4 }], { submit: "Set" });
    if (told) await pane.edit("array.set", told);
  } },
  stream: { text: "Add an entry", async add(pane) {
    const told = await ask("New entry", [{ name: "id", label: "ID", value: "*", help: "*: one is made of the time." },
      { name: "pairs", label: "Fields", type: "textarea", rows: 5, required: true,
        placeholder: "name=value, a line each" }], { submit: "Add" });
    if (!told) return;
    const pairs = told.pairs.split("\n").filter(Boolean).flatMap((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
    });
    await pane.edit("stream.add", { id: told.id, pairs });
  } },
};
