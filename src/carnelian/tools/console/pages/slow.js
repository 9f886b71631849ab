// The slow log, and what the latency monitor has seen.

import { call } from "./api.js";
import { quoted } from "./data.js";
import { attempt, button, confirmed, empty, h, micros, moment, table, whole } from "./dom.js";

export const slow = {
  title: "Slow log",
  key: "slow",

  open(root) {
    this.note = h("p", { class: "muted" });
    this.entries = h("div", {});
    this.events = h("div", {});
    root.append(
      h("div", { class: "row between" }, h("h1", {}, "Slow log"), h("div", { class: "row" },
        button("Refresh", () => this.look(), "", { title: "r" }),
        button("Empty it", () => this.clear(), "danger"))),
      this.note, h("section", { class: "card" }, this.entries),
      h("section", { class: "card" }, h("div", { class: "row between" }, h("h3", {}, "Latency events"),
        button("Forget them", () => this.clear(true), "quiet")), this.events));
    this.look();
  },

  close() {},

  shortcut(key) {
    if (key === "r") this.look();
    return key === "r";
  },

  async look() {
    const told = await attempt(() => call("/api/slow"));
    if (!told) return;
    const threshold = Number(told.threshold);
    this.note.textContent = told.threshold === null ? ""
      : threshold < 0 ? "The slow log is off (slowlog-log-slower-than)."
        : `Commands that take ${micros(threshold)} or longer; ${whole(told.length)} are kept.`;
    const most = Math.max(...told.entries.map(({ usec }) => usec), 1);
    this.entries.replaceChildren(told.entries.length
      ? table([{ text: "When" }, { text: "Took", number: true }, { class: "spare" }, { text: "Command" },
        { text: "Client", class: "spare" }],
        told.entries.map((entry) => h("tr", {},
          h("td", { class: "when" }, moment(entry.time, true)), h("td", { class: "number" }, micros(entry.usec)),
          h("td", { class: "spare" }, h("meter", { min: 0, max: most, value: entry.usec, "aria-hidden": true })),
          h("td", { class: "data" }, h("code", {}, entry.words.map((word, at) =>
            (at && !/^[\w:.*-]+$/.test(word.value) ? quoted(word.value) : word.value) + (word.cut ? "…" : "")).join(" "))),
          h("td", { class: "nowrap muted spare" }, entry.name || entry.client))), { label: "Slow commands" })
      : empty("No command has been slow."));
    this.events.replaceChildren(told.events.length
      ? table([{ text: "Event" }, { text: "When" }, { text: "Latest", number: true }, { text: "Worst", number: true }],
        told.events.map((event) => h("tr", {}, h("td", {}, event.name), h("td", {}, moment(event.time, true)),
          h("td", { class: "number" }, `${event.latest} ms`), h("td", { class: "number" }, `${event.most} ms`))),
        { label: "Latency events" })
      : empty(told.monitor === "0" ? "The latency monitor is off: latency-monitor-threshold turns it on."
        : "Nothing has been noticed."));
  },

  async clear(events = false) {
    const what = events ? "Forget the latency events?" : "Empty the slow log?";
    if (!await confirmed(what, "What is in it is lost.", "Yes")) return;
    await attempt(() => call("/api/slow/clear", { events }));
    this.look();
  },
};
