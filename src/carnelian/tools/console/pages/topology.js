// Who follows whom, and who has which slots.

import { call } from "./api.js";
import { attempt, button, bytes, empty, h, svg, table, whole } from "./dom.js";

const SLOTS = 16384;

export const topology = {
  title: "Topology",
  key: "topology",

  open(root) {
    this.replication = h("section", { class: "card" });
    this.cluster = h("section", { class: "card" });
    root.append(h("div", { class: "row between" }, h("h1", {}, "Topology"),
      button("Refresh", () => this.look(), "", { title: "r" })), this.replication, this.cluster);
    this.running = true;
    this.look();
  },

  close() {
    this.running = false;
    clearTimeout(this.timer);
  },

  shortcut(key) {
    if (key === "r") this.look();
    return key === "r";
  },

  async look() {
    clearTimeout(this.timer);
    const told = await attempt(() => call("/api/replication"));
    const cluster = told && await attempt(() => call("/api/cluster"));
    if (!this.running || !cluster) return;
    this.replication.replaceChildren(h("h3", {}, "Replication"), replicationMap(told), replicas(told));
    this.showCluster(cluster);
    this.timer = setTimeout(() => this.look(), 5000);
  },

  showCluster(told) {
    if (!told.nodes) {
      this.cluster.replaceChildren(h("h3", {}, "Cluster"), empty("This server is no node of a cluster."));
      return;
    }
    // What somebody is typing stays.
    this.finder ??= slotFinder();
    const primaries = told.nodes.filter(({ count }) => count)
      .sort((a, b) => a.slots[0][0] - b.slots[0][0]);
    const colours = new Map(primaries.map(({ id }, at) => [id, `c${at % 8}`]));
    const covered = primaries.reduce((sum, { count }) => sum + count, 0);
    const focused = this.finder.contains(document.activeElement) ? document.activeElement : null;
    this.cluster.replaceChildren(
      h("div", { class: "row between" }, h("h3", {}, "Cluster"),
        h("span", { class: told.state === "ok" ? "good" : "bad" }, `${told.state}, ${whole(covered)} of ${whole(SLOTS)} slots are served`)),
      slotBar(primaries, colours), this.finder, nodeTable(told.nodes, colours));
    focused?.focus();
  },
};

function slotBar(primaries, colours) {
  return svg("svg", { class: "slots", viewBox: `0 0 ${SLOTS} 100`, preserveAspectRatio: "none", role: "img",
    "aria-label": "Slots by node" },
  svg("rect", { class: "free", width: SLOTS, height: 100 }),
  primaries.flatMap((node) => node.slots.map(([first, last]) =>
    svg("rect", { class: colours.get(node.id), x: first, width: last - first + 1, height: 100 },
      svg("title", {}, `${node.address}: ${first}-${last}`)))));
}

function nodeTable(nodes, colours) {
  const shards = new Map();
  for (const node of nodes) {
    const id = node.role === "primary" ? node.id : node.primary;
    shards.set(id, [...(shards.get(id) ?? []), node]);
  }
  const first = (members) => Math.min(...members.flatMap(({ slots }) => slots.map(([slot]) => slot)), SLOTS);
  const ordered = [...shards].sort(([, a], [, b]) => first(a) - first(b));
  const rows = ordered.flatMap(([id, members]) => members
    .sort((a, b) => (a.role < b.role ? -1 : 1))
    .map((node) => h("tr", { class: node.own ? "own" : "" },
      h("td", { class: "nowrap" }, h("span", { class: `dot ${colours.get(id) ?? ""}` }), h("code", {}, node.address),
        node.own ? h("small", {}, " this server") : null),
      h("td", {}, node.role), h("td", { class: node.state === "connected" ? "good" : "bad" }, node.state),
      h("td", { class: "number" }, node.count ? whole(node.count) : ""),
      h("td", { class: "data" }, node.slots.slice(0, 12).map(([low, high]) => (low === high ? low : `${low}-${high}`)).join(" "), node.slots.length > 12 ? " …" : "",
      node.open.map(([slot, kind]) => h("small", { class: "block" }, `${slot} is ${kind}`))),
      h("td", { class: "number" }, whole(node.epoch)), h("td", { class: "muted" }, node.id.slice(0, 8)))));
  return table([{ text: "Node" }, { text: "Role" }, { text: "State" }, { text: "Slots", number: true }, {},
    { text: "Epoch", number: true }, { text: "ID" }], rows, { label: "Nodes" });
}

function slotFinder() {
  const result = h("span", { class: "muted", role: "status" });
  const input = h("input", { type: "text", placeholder: "Which slot is a key in?", "aria-label": "Key",
    autocomplete: "off", spellcheck: "false" });
  return h("form", { class: "row tools", onsubmit: async (event) => {
    event.preventDefault();
    const told = await attempt(() => call("/api/slot", { key: input.value }));
    if (told) {
      result.textContent = `slot ${told.slot}${told.keys === null ? "" : `, ${whole(told.keys)} keys of it here`}`;
    }
  } }, input, h("button", { type: "submit" }, "Find"), result);
}

// -- Replication -------------------------------------------------------------------------------------

const WIDTH = 190;
const HIGH = 54;
const GAP = 18;

function replicationMap(told) {
  const columns = [];
  if (told.primary) {
    columns.push([{ title: told.primary.address, note: `primary, link ${told.primary.link}`, good: told.primary.link === "up" }]);
  }
  columns.push([{ title: told.address, note: `this server, ${told.role}`, own: true, good: true }]);
  if (told.replicas.length) {
    columns.push(told.replicas.map(({ address, state, lag }) =>
      ({ title: address, note: `${state}${lag === null ? "" : `, lag ${lag} s`}`, good: state === "online" })));
  }
  const most = Math.max(...columns.map((column) => column.length));
  const height = most * (HIGH + GAP) + GAP;
  const width = columns.length * (WIDTH + 60) - 60;
  const place = (column, at) => ({ x: column * (WIDTH + 60),
    y: (height - columns[column].length * (HIGH + GAP) + GAP) / 2 + at * (HIGH + GAP) });
  const lines = columns.slice(1).flatMap((column, at) => column.map((node, row) => {
    const from = place(at, 0);
    const to = place(at + 1, row);
    const good = columns[at].every((other) => other.good) && node.good;
    return svg("path", { class: good ? "link" : "link broken",
      d: `M${from.x + WIDTH} ${from.y + HIGH / 2}C${from.x + WIDTH + 30} ${from.y + HIGH / 2} ${to.x - 30} ${to.y + HIGH / 2} ${to.x} ${to.y + HIGH / 2}` });
  }));
  const boxes = columns.flatMap((column, at) => column.map((node, row) => {
    const { x, y } = place(at, row);
    return svg("g", { class: `box ${node.own ? "own" : ""} ${node.good ? "" : "broken"}` },
      svg("rect", { x: x + 1, y, width: WIDTH - 2, height: HIGH, rx: 8 }),
      svg("text", { class: "title", x: x + 12, y: y + 23 }, node.title),
      svg("text", { class: "note", x: x + 12, y: y + 41 }, node.note));
  }));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Replication map" },
    svg("svg", { class: "map", width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": `${told.role} with ${told.replicas.length} replicas` }, lines, boxes));
}

function replicas(told) {
  const facts = h("p", { class: "muted" }, `History ${told.id.slice(0, 8)}, offset ${whole(told.offset)}`,
    told.backlog ? `, backlog ${bytes(told.backlog)}` : "");
  if (!told.replicas.length) return facts;
  return h("div", { class: "stack" }, facts, table([{ text: "Replica" }, { text: "State" },
    { text: "Offset", number: true }, { text: "Behind", number: true }, { text: "Lag", number: true }],
  told.replicas.map((replica) => h("tr", {}, h("td", {}, h("code", {}, replica.address)), h("td", {}, replica.state),
    h("td", { class: "number" }, whole(replica.offset)),
    h("td", { class: "number" }, bytes(Math.max(told.offset - replica.offset, 0))),
    h("td", { class: "number" }, replica.lag === null ? "-" : `${replica.lag} s`))), { label: "Replicas" }));
}
