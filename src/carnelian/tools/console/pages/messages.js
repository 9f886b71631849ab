// Messages of channels, and the commands of all clients, as they come.

import { call, follow } from "./api.js";
import { visible } from "./data.js";
import { ask, attempt, button, empty, h, moment, select, table, toast, whole } from "./dom.js";

// Lines that are kept on the page.
const KEPT = 1000;

/** A list that follows a tap. */
class Tap {
  constructor(label, line) {
    this.line = line;
    this.list = h("ol", { class: "lines", role: "log", "aria-label": label, tabindex: 0 });
    this.state = h("span", { class: "muted", role: "status" });
    this.seen = this.skipped = 0;
  }

  get open() {
    return Boolean(this.stop);
  }

  async start(wanted, changed) {
    this.stop = new AbortController();
    this.seen = this.skipped = 0;
    this.list.replaceChildren();
    this.state.textContent = "Listening";
    changed();
    try {
      await follow("/api/tap", wanted, (batch) => this.take(batch), this.stop.signal);
    } catch (error) {
      if (error.name !== "AbortError") {
        this.state.textContent = error.message;
        if (error.status !== 401) toast(error.message, true);
      }
    }
    this.stop = null;
    changed();
  }

  end() {
    this.stop?.abort();
  }

  take(batch) {
    if (batch.end) {
      this.state.textContent = batch.end;
      return;
    }
    if (!batch.items.length && !batch.skipped) return;
    const { list } = this;
    const below = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    this.seen += batch.items.length + batch.skipped;
    this.skipped += batch.skipped;
    list.append(...batch.items.map((item) => this.line(item)).filter(Boolean));
    while (list.childElementCount > KEPT) list.firstElementChild.remove();
    if (below) list.scrollTop = list.scrollHeight;
    this.state.textContent = `${whole(this.seen)} so far`
      + (this.skipped ? `, ${whole(this.skipped)} of them came too fast to be shown` : "");
  }
}

export const messages = {
  title: "Messages",
  key: "messages",

  open(root) {
    this.tap = new Tap("Messages", (item) => h("li", {}, h("time", {}, moment(item.time)),
      h("b", {}, visible(item.channel.value)),
      h("code", {}, visible(item.message.value), item.message.cut ? " …" : "")));
    this.watch = new Tap("Commands", (item) => this.command(item));
    this.names = h("input", { type: "text", placeholder: "news, orders:*", "aria-label": "Channels or patterns",
      autocomplete: "off", spellcheck: "false", value: sessionStorage.getItem("carnelian.channels") ?? "*",
      onkeydown: (event) => { if (event.key === "Enter") this.listen(); } });
    this.kind = select([["patterns", "Patterns"], ["channels", "Channels"], ["shards", "Shard channels"]],
      "patterns", null, { "aria-label": "Kind" });
    this.go = button("Listen", () => this.listen(), "primary");
    this.see = button("Watch commands", () => this.monitor(), "primary");
    this.filter = h("input", { type: "search", placeholder: "Show only lines with…", "aria-label": "Show only lines with" });
    this.channels = h("div", {});
    root.append(
      h("div", { class: "row between" }, h("h1", {}, "Messages"), button("Publish…", () => this.publish())),
      h("section", { class: "card" }, h("h3", {}, "Channels"),
        h("div", { class: "row tools" }, this.kind, this.names, this.go, this.tap.state), this.tap.list,
        h("details", { ontoggle: () => this.showChannels() }, h("summary", {}, "Who listens to what"), this.channels)),
      h("section", { class: "card" }, h("h3", {}, "Commands of all clients"),
        h("p", { class: "note" }, "Watching makes every command a little dearer for the server. It ends after a minute, "
          + "or 100,000 commands."),
        h("div", { class: "row tools" }, this.see, this.filter, this.watch.state), this.watch.list));
  },

  close() {
    this.tap.end();
    this.watch.end();
  },

  listen() {
    if (this.tap.open) return this.tap.end();
    sessionStorage.setItem("carnelian.channels", this.names.value);
    const names = this.names.value.split(/[\s,]+/).filter(Boolean);
    return this.tap.start({ kind: "messages", [this.kind.value]: names }, () => {
      this.go.textContent = this.tap.open ? "Stop" : "Listen";
    });
  },

  monitor() {
    if (this.watch.open) return this.watch.end();
    return this.watch.start({ kind: "monitor" }, () => {
      this.see.textContent = this.watch.open ? "Stop" : "Watch commands";
    });
  },

  command(item) {
    const text = visible(item.command.value);
    const word = this.filter.value.toLowerCase();
    if (word && !text.toLowerCase().includes(word)) return null;
    return h("li", {}, h("time", {}, moment(item.time)), h("span", { class: "muted" }, `db ${item.db} ${item.client}`),
      h("code", {}, text, item.command.cut ? " …" : ""));
  },

  async showChannels() {
    const told = await attempt(() => call("/api/channels"));
    if (!told) return;
    this.channels.replaceChildren(told.channels.length
      ? table([{ text: "Channel" }, { text: "Subscribers", number: true }], told.channels.map(([name, count]) =>
        h("tr", {}, h("td", {}, h("code", {}, visible(name.value))), h("td", { class: "number" }, whole(count)))),
      { label: "Channels" })
      : empty("Nobody listens to a channel by its name."),
    h("p", { class: "muted" }, `${whole(told.patterns)} patterns are listened to.`));
  },

  async publish() {
    const told = await ask("Publish a message", [{ name: "channel", label: "Channel", required: true },
      { name: "message", label: "Message", type: "textarea", rows: 4 },
      { name: "sharded", type: "checkbox", label: "To a shard channel" }], { submit: "Publish" });
    if (!told) return;
    const done = await attempt(() => call("/api/publish", told));
    if (done) toast(`${whole(done.receivers)} have received it.`);
  },
};

