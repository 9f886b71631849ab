// Keys by the parts of their names between colons. Only what is unfolded is on the page.

import { nameOf, visible } from "./data.js";
import { button, h, whole } from "./dom.js";

// Rows that are on the page at a time, at most.
const STEP = 400;

class Folder {
  constructor(label, path, parent) {
    Object.assign(this, { label, path, parent });
    this.folders = new Map();
    this.leaves = new Map();
    this.count = 0;
  }
}

export class KeyTree {
  /** `choose(key)` is called when somebody wants to see a key. */
  constructor(choose) {
    this.choose = choose;
    this.unfolded = new Set();
    this.element = h("div", { class: "tree", role: "tree", "aria-label": "Keys",
      onkeydown: (event) => this.press(event), onclick: (event) => this.click(event) });
    this.clear();
  }

  clear() {
    this.root = new Folder("", "", null);
    this.known = new Map();
    this.chosen = null;
    this.at = null;
    this.limit = STEP;
    this.text = "";
    this.draw();
  }

  get count() {
    return this.known.size;
  }

  keys() {
    return [...this.known.values()].map(({ key }) => key);
  }

  /** Add pairs of key and type. */
  add(pairs) {
    for (const [key, type] of pairs) {
      const name = nameOf(key);
      if (this.known.has(name)) {
        this.known.get(name).type = type || this.known.get(name).type;
        continue;
      }
      const parts = visible(key).split(":");
      let folder = this.root;
      folder.count += 1;
      for (const part of parts.slice(0, -1)) {
        const path = `${folder.path}${part}:`;
        if (!folder.folders.has(part)) folder.folders.set(part, new Folder(part, path, folder));
        folder = folder.folders.get(part);
        folder.count += 1;
      }
      const leaf = { key, type, label: parts.at(-1), folder, name };
      folder.leaves.set(name, leaf);
      this.known.set(name, leaf);
    }
    // A few keys in all are shown at once.
    if (this.count <= 30) this.unfold(this.root);
    this.draw();
  }

  unfold(folder) {
    for (const inner of folder.folders.values()) {
      this.unfolded.add(inner.path);
      this.unfold(inner);
    }
  }

  remove(key) {
    const leaf = this.known.get(nameOf(key));
    if (!leaf) return;
    this.known.delete(leaf.name);
    leaf.folder.leaves.delete(leaf.name);
    for (let folder = leaf.folder; folder; folder = folder.parent) {
      folder.count -= 1;
      if (!folder.count && folder.parent) folder.parent.folders.delete(folder.label);
    }
    this.draw();
  }

  /** Unfold what a key is in. */
  reveal(key) {
    const leaf = this.known.get(nameOf(key));
    for (let folder = leaf?.folder; folder; folder = folder.parent) this.unfolded.add(folder.path);
    this.draw();
  }

  mark(key) {
    this.chosen = nameOf(key);
    this.at = this.chosen;
    this.draw();
  }

  /** Say something in place of keys. */
  note(text) {
    this.text = text;
    this.draw();
  }

  focus() {
    (this.element.querySelector('[tabindex="0"]') ?? this.element.querySelector("[role=treeitem]"))?.focus();
  }

  // -- What is seen --------------------------------------------------------------------------------

  rows() {
    const rows = [];
    const visit = (folder, level) => {
      for (const label of [...folder.folders.keys()].sort(order)) {
        let inner = folder.folders.get(label);
        let text = `${label}:`;
        // A folder that has nothing but another one is shown together with it.
        while (inner.folders.size === 1 && !inner.leaves.size) {
          [inner] = inner.folders.values();
          text += `${inner.label}:`;
        }
        const open = this.unfolded.has(inner.path);
        rows.push({ id: `f${inner.path}`, folder: inner, text, level, open });
        if (open && rows.length < this.limit) visit(inner, level + 1);
      }
      const leaves = [...folder.leaves.values()].sort((a, b) => order(a.label, b.label));
      for (const leaf of leaves) rows.push({ id: leaf.name, leaf, text: leaf.label || "(empty)", level });
    };
    visit(this.root, 1);
    return rows;
  }

  draw() {
    if (this.planned) return;
    this.planned = true;
    requestAnimationFrame(() => {
      this.planned = false;
      this.paint();
    });
  }

  paint() {
    const focused = this.element.contains(document.activeElement);
    this.list = this.rows();
    const current = this.list.find(({ id }) => id === this.at) ?? this.list[0];
    const shown = this.list.slice(0, this.limit).map((row) => this.row(row, row === current));
    const left = this.list.length - shown.length;
    if (left > 0) {
      shown.push(button(`Show ${whole(Math.min(left, STEP))} more rows`, () => {
        this.limit += STEP;
        this.draw();
      }, "quiet more"));
    }
    if (!this.list.length && this.text) shown.push(h("p", { class: "empty" }, this.text));
    this.element.replaceChildren(...shown);
    if (focused) this.focus();
  }

  row(row, current) {
    const { leaf, level, open, text, id } = row;
    return h("div", { role: "treeitem", class: `node l${Math.min(level, 12)}`, "data-id": id,
      tabindex: current ? 0 : -1, "aria-level": level, "aria-expanded": leaf ? null : String(open),
      "aria-selected": String(id === this.chosen), title: leaf ? visible(leaf.key) : null },
    h("span", { class: "caret", "aria-hidden": true }, leaf ? "" : open ? "▾" : "▸"),
    h("span", { class: "name" }, text),
    leaf ? h("span", { class: `type ${leaf.type}` }, leaf.type || "?")
      : h("span", { class: "count" }, whole(row.folder.count)));
  }

  // -- What is done --------------------------------------------------------------------------------

  click(event) {
    const element = event.target.closest("[role=treeitem]");
    if (element) this.act(this.list.find(({ id }) => id === element.dataset.id));
  }

  act(row) {
    this.at = row.id;
    if (row.leaf) this.choose(row.leaf.key);
    else this.fold(row, !row.open);
  }

  fold(row, open) {
    if (open) this.unfolded.add(row.folder.path);
    else this.unfolded.delete(row.folder.path);
    this.draw();
  }

  press(event) {
    const now = this.list.findIndex(({ id }) => id === document.activeElement?.dataset.id);
    if (now < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = this.list[now];
    const go = (at) => {
      this.at = this.list[Math.min(Math.max(at, 0), Math.min(this.list.length, this.limit) - 1)].id;
      this.paint();
      document.activeElement?.scrollIntoView({ block: "nearest" });
    };
    const moves = {
      ArrowDown: () => go(now + 1),
      ArrowUp: () => go(now - 1),
      Home: () => go(0),
      End: () => go(this.list.length),
      ArrowRight: () => (row.leaf || row.open ? go(now + 1) : this.fold(row, true)),
      ArrowLeft: () => {
        if (row.open) this.fold(row, false);
        else go(this.list.findLastIndex((other, at) => at < now && other.level < row.level));
      },
      Enter: () => this.act(row),
      " ": () => this.act(row),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    moves[event.key]();
  }
}

const order = new Intl.Collator("en", { numeric: true }).compare;
