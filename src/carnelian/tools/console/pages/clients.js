// Who is connected.

import { call } from "./api.js";
import { attempt, button, bytes, confirmed, h, span, table, toast, whole } from "./dom.js";

const COLUMNS = [
  ["Address", ({ addr }) => addr], ["Name", ({ name }) => name], ["User", ({ user }) => user],
  ["db", ({ db }) => Number(db), true], ["Age", ({ age }) => Number(age), true, span],
  ["Idle", ({ idle }) => Number(idle), true, span], ["Last command", ({ cmd }) => cmd],
  ["Kind", ({ flags }) => flags], ["Memory", (client) => Number(client["tot-mem"] ?? 0), true, bytes],
];
const FLAGS = { N: "ordinary", S: "replica", M: "primary", P: "pub/sub", O: "monitor", x: "in a transaction",
  b: "blocked", t: "tracking", U: "Unix socket", r: "read-only", e: "no eviction", T: "no touch",
  d: "its transaction will fail", c: "to be closed", A: "closed at once", R: "tracking is broken", B: "tracking by prefix" };

export const clients = {
  title: "Clients",
  key: "clients",

  open(root) {
    this.by = 4;
    this.down = false;
    this.filter = h("input", { type: "search", placeholder: "Search", "aria-label": "Search clients", id: "search",
      oninput: () => this.draw() });
    this.note = h("span", { class: "muted", role: "status" });
    this.list = h("section", { class: "card" });
    root.append(h("div", { class: "row between" }, h("h1", {}, "Clients"), h("div", { class: "row" }, this.note,
      this.filter, button("Refresh", () => this.look(), "", { title: "r" }))), this.list);
    this.look();
  },

  close() {},

  shortcut(key) {
    if (key === "r") this.look();
    if (key === "/") this.filter.focus();
    return key === "r" || key === "/";
  },

  async look() {
    this.told = await attempt(() => call("/api/clients")) ?? this.told;
    if (this.told) this.draw();
  },

  draw() {
    const word = this.filter.value.toLowerCase();
    const [, value] = COLUMNS[this.by];
    const shown = this.told.clients.filter((client) =>
      Object.values(client).join(" ").toLowerCase().includes(word));
    shown.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (this.down ? -1 : 1));
    this.note.textContent = `${whole(this.told.count)} clients`;
    this.list.replaceChildren(table([...COLUMNS.map(([name, , number], at) => ({ number,
      head: h("button", { type: "button", class: "sort", onclick: () => this.sort(at),
        "aria-label": `Sort by ${name}` }, name, at === this.by ? (this.down ? " ↓" : " ↑") : "") })), {}],
    shown.map((client) => this.row(client)), { label: "Clients" }));
  },

  sort(at) {
    this.down = this.by === at && !this.down;
    this.by = at;
    this.draw();
  },

  row(client) {
    const own = client.id === this.told.own;
    const flags = [...client.flags].map((flag) => FLAGS[flag] ?? flag).join(", ");
    return h("tr", { class: own ? "own" : "" }, COLUMNS.map(([name, value, number, format]) =>
      h("td", { class: number ? "number" : "nowrap" },
        name === "Kind" ? flags : format ? format(value(client)) : value(client) ?? "")),
    h("td", { class: "actions" }, own ? h("span", { class: "muted" }, "this page")
      : button("Close", () => this.kill(client), "quiet bad", { "aria-label": `Close ${client.addr}` })));
  },

  async kill(client) {
    if (!await confirmed("Close the connection?", `${client.addr} ${client.name}`, "Close it")) return;
    const told = await attempt(() => call("/api/clients/kill", { id: Number(client.id) }));
    if (told) toast(told.killed ? "The connection was closed." : "It was gone already.");
    this.look();
  },
};
