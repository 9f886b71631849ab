// The configuration, with what it means.

import { call } from "./api.js";
import { visible } from "./data.js";
import { ask, attempt, button, confirmed, empty, h, toast } from "./dom.js";

export const settings = {
  title: "Configuration",
  key: "settings",

  open(root) {
    this.filter = h("input", { type: "search", placeholder: "Search directives", id: "search",
      "aria-label": "Search directives", oninput: () => this.draw() });
    this.changed = h("input", { type: "checkbox", onchange: () => this.draw() });
    this.list = h("div", { class: "stack" });
    root.append(
      h("div", { class: "row between" }, h("h1", {}, "Configuration"), h("div", { class: "row" },
        this.filter, this.changedLabel = h("label", { class: "check" }, this.changed, "not the default"),
        button("Write to the file", () => this.act("rewrite", "Write the configuration file?",
          "What was changed since the start stays after the next one then.", "The file was written.")),
        button("Reset counters", () => this.act("resetstat", "Reset the counters?",
          "Those of INFO and of the latencies begin anew.", "The counters begin anew.")))),
      this.list);
    this.look();
  },

  close() {},

  shortcut(key) {
    if (key === "/") this.filter.focus();
    return key === "/";
  },

  async look() {
    const told = await attempt(() => call("/api/settings"));
    if (!told) return;
    this.all = told.settings;
    this.changedLabel.hidden = !told.settings.some((setting) => "default" in setting);
    this.draw();
  },

  draw() {
    const word = this.filter.value.toLowerCase();
    const shown = this.all.filter((setting) => (!this.changed.checked || isChanged(setting)) && !setting.alias
      && `${setting.name} ${setting.summary ?? ""} ${setting.topic}`.toLowerCase().includes(word));
    const topics = Map.groupBy ? Map.groupBy(shown, ({ topic }) => topic) : grouped(shown);
    this.list.replaceChildren(...(shown.length ? [...topics].map(([topic, members]) =>
      h("section", { class: "card" }, h("h3", {}, topic), h("dl", { class: "settings" },
        members.map((setting) => this.row(setting))))) : [empty("Nothing matches.")]));
  },

  row(setting) {
    const fixed = setting.change === "at start";
    const value = setting.secret ? (setting.set ? "••••••••" : "") : visible(setting.value);
    return h("div", {},
      h("dt", {}, h("code", {}, setting.name), isChanged(setting) ? h("span", { class: "chip still" }, "changed") : null),
      h("dd", {}, h("div", { class: "row" },
        fixed ? h("code", { class: "given" }, value || "(empty)")
          : button(value || "(empty)", () => this.change(setting), "given", { title: "Change it",
            "aria-label": `${setting.name}: ${value || "empty"}, change it` }),
        fixed ? h("small", { class: "muted" }, "set at start") : null,
        isChanged(setting) ? h("small", { class: "muted" }, `default: ${setting.default || "(empty)"}`) : null),
      setting.summary ? h("p", {}, setting.summary, setting.form ? h("small", { class: "muted" }, ` ${setting.form}`) : null) : null));
  },

  async change(setting) {
    const words = setting.words?.length && !/any of/.test(setting.form) ? setting.words
      : setting.form === "yes, no" ? ["yes", "no"] : null;
    const value = setting.secret ? "" : visible(setting.value);
    const told = await ask(setting.name, [words && words.includes(value)
      ? { name: "value", label: setting.summary, type: "select", options: words, value }
      : { name: "value", label: setting.summary ?? "Value", type: setting.secret ? "password" : "text", value, help: setting.form }],
    { submit: "Set", text: setting.change === "protected" ? "It is protected: the server may have to be told to let it be changed (enable-protected-configs)." : "" });
    if (!told) return;
    const done = await attempt(() => call("/api/settings/set", { name: setting.name, value: told.value }));
    if (!done) return;
    Object.assign(setting, setting.secret ? { set: told.value !== "" } : { value: done.value });
    toast(`${setting.name} was set.`);
    this.draw();
  },

  async act(act, title, text, done) {
    if (!await confirmed(title, text, "Yes")) return;
    if (await attempt(() => call("/api/settings/act", { act }))) toast(done);
  },
};

const isChanged = (setting) => "default" in setting && !setting.secret && visible(setting.value) !== setting.default;

function grouped(list) {
  const groups = new Map();
  for (const setting of list) groups.set(setting.topic, [...(groups.get(setting.topic) ?? []), setting]);
  return groups;
}
