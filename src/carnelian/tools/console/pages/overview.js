// Figures by the second.

import { call } from "./api.js";
import { Chart } from "./charts.js";
import { bytes, empty, h, micros, select, short, span, table, whole } from "./dom.js";

const SPANS = [["60", "1 minute"], ["300", "5 minutes"], ["600", "10 minutes"]];

const percent = (value) => (value === null || value === undefined ? "-" : `${value.toFixed(value && value < 1 ? 2 : value < 10 ? 1 : 0)} %`);
const perSecond = (value) => (value === null ? "-" : `${bytes(value)}/s`);
const rate = ({ hits, misses }) => (hits + misses ? (hits / (hits + misses)) * 100 : null);
const field = (name) => (sample) => sample[name];
const line = (label, name) => ({ label, of: field(name) });

function charts() {
  return [
    new Chart({ title: "Commands a second", format: short, least: 10,
      series: [line("commands", "commands")] }),
    new Chart({ title: "Latency", format: micros, least: 10,
      series: [line("p50", "p50"), line("p99", "p99"), line("p99.9", "p999")] }),
    new Chart({ title: "Memory", format: bytes, least: 1048576, base: 1024,
      series: [line("data", "used"), line("process", "rss")] }),
    new Chart({ title: "Hit rate", format: percent, least: 100, most: 100,
      series: [{ label: "hits", of: rate }] }),
    new Chart({ title: "Network", format: perSecond, least: 1024, base: 1024,
      series: [line("in", "in"), line("out", "out")] }),
    new Chart({ title: "Clients", format: short, least: 4,
      series: [line("connected", "clients"), line("blocked", "blocked")] }),
    new Chart({ title: "Keys that go, a second", format: short, least: 4,
      series: [line("expired", "expired"), line("evicted", "evicted")] }),
    new Chart({ title: "Processor", format: percent, least: 10, series: [line("server", "cpu")] }),
  ];
}

function tile(title) {
  const value = h("b", {}, "-");
  const note = h("small", {});
  return { element: h("div", { class: "tile" }, h("span", {}, title), value, note),
    set(text, more = "") { value.textContent = text; note.textContent = more; } };
}

export const overview = {
  title: "Overview",
  key: "overview",

  open(root) {
    this.samples = [];
    this.seconds = Number(localStorage.getItem("carnelian.span") ?? 300);
    this.charts = charts();
    for (const chart of this.charts) {
      chart.onpoint = (time) => this.charts.forEach((other) => other.select(time));
      chart.picture.addEventListener("pointerleave", () =>
        this.charts.forEach((other) => other.select(null)));
    }
    this.tiles = Object.fromEntries(
      ["Commands/s", "Memory", "Clients", "Hit rate", "Keys", "Role", "Up for"]
        .map((title) => [title, tile(title)]));
    this.commands = h("div", {});
    this.fields = h("div", { class: "facts" });
    this.wanted = h("input", { type: "search", placeholder: "Filter", "aria-label": "Filter fields",
      oninput: () => this.showFields() });
    this.state = h("span", { class: "muted", role: "status" }, "Waiting for figures");
    root.append(
      h("div", { class: "row between" }, h("h1", {}, "Overview"), h("div", { class: "row" }, this.state,
        select(SPANS, String(this.seconds), (event) => {
          this.seconds = Number(event.target.value);
          localStorage.setItem("carnelian.span", this.seconds);
          this.draw();
        }, { "aria-label": "How far back" }))),
      h("div", { class: "tiles" }, Object.values(this.tiles).map(({ element }) => element)),
      h("div", { class: "charts" }, this.charts.map(({ element }) => element)),
      h("section", { class: "card" }, h("h3", {}, "What takes the time"), this.commands),
      h("details", { class: "card", ontoggle: () => this.showFields() },
        h("summary", {}, "All that INFO tells"), this.wanted, this.fields));
    this.details = root.lastElementChild;
    this.running = true;
    this.look();
  },

  close() {
    this.running = false;
    clearTimeout(this.timer);
    this.charts.forEach((chart) => chart.observer.disconnect());
  },

  async look() {
    try {
      const told = await call("/api/figures", { since: this.samples.at(-1)?.number ?? 0 });
      this.samples = [...this.samples, ...told.samples].slice(-600);
      this.info = told.info;
      this.state.textContent = "";
      this.show(told.commands);
    } catch (error) {
      this.state.textContent = error.message;
      if (error.status === 401) return;
    }
    if (this.running) this.timer = setTimeout(() => this.look(), document.hidden ? 5000 : 1000);
  },

  show(commands) {
    if (!this.running) return;
    const { info, tiles } = this;
    const last = this.samples.at(-1);
    const max = Number(info.maxmemory ?? 0);
    if (last) tiles["Commands/s"].set(short(last.commands), `p99 ${micros(last.p99)}`);
    tiles.Memory.set(bytes(Number(info.used_memory)),
      max ? `of ${bytes(max)}, ${info.maxmemory_policy}` : `peak ${bytes(Number(info.used_memory_peak))}`);
    tiles.Clients.set(whole(info.connected_clients), `of ${whole(info.maxclients)}`);
    const hits = Number(info.keyspace_hits);
    const all = hits + Number(info.keyspace_misses);
    tiles["Hit rate"].set(all ? percent((hits / all) * 100) : "-", "since the start");
    const databases = Object.entries(info).filter(([name]) => /^db\d+$/.test(name));
    const counts = databases.map(([, text]) => Number(/keys=(\d+)/.exec(text)?.[1] ?? 0));
    tiles.Keys.set(whole(counts.reduce((sum, count) => sum + count, 0)),
      databases.length > 1 ? `in ${databases.length} databases` : "");
    const replica = info.role === "slave";
    tiles.Role.set(replica ? "replica" : "primary", replica
      ? `link ${info.master_link_status}` : `${info.connected_slaves ?? 0} replicas`);
    tiles["Up for"].set(span(Number(info.uptime_in_seconds)), `pid ${info.process_id}`);
    this.showCommands(commands);
    this.draw();
  },

  draw() {
    this.charts.forEach((chart) => chart.update(this.samples, this.seconds));
  },

  showCommands(commands) {
    const most = Math.max(...commands.map(({ share }) => share), 0.01);
    this.commands.replaceChildren(commands.length
      ? table([{ text: "Command" }, { text: "Calls/s", number: true },
        { text: "Time each", number: true }, { text: "Share of a second", number: true }, {}],
      commands.map(({ name, calls, usec, share }) => h("tr", {},
        h("td", {}, h("code", {}, name)), h("td", { class: "number" }, short(calls)),
        h("td", { class: "number" }, micros(usec)), h("td", { class: "number" }, percent(share)),
        h("td", { class: "wide" }, h("meter", { min: 0, max: most, value: share,
          "aria-hidden": true })))), { label: "Commands by the time that they take" })
      : empty("Nothing is asked of the server at the moment."));
  },

  showFields() {
    if (!this.details.open || !this.info) return;
    const word = this.wanted.value.toLowerCase();
    this.fields.replaceChildren(...Object.entries(this.info)
      .filter(([name, value]) => `${name}:${value}`.toLowerCase().includes(word))
      .map(([name, value]) => h("div", {}, h("code", {}, name), h("span", {}, value || "-"))));
  },
};
