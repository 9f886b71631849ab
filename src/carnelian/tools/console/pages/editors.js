// Texts, JSON and bytes, edited.

import { compact, fromHex, indented, isJson, isText, toBytes, toHex } from "./data.js";
import { ask, button, bytes, h, select, toast, whole } from "./dom.js";

const BITS_SHOWN = 512;

/** Ask for a value; undefined if called off. What is no text is edited as bytes. */
export async function askValue(title, value) {
  const text = isText(value);
  const told = await ask(title, [{ name: "value", type: "textarea", rows: 8,
    label: text ? "Text" : "Bytes, as hexadecimal digits", value: text ? value : toHex(value) }]);
  if (!told) return undefined;
  if (text) return told.value;
  try {
    return fromHex(told.value);
  } catch (error) {
    toast(error.message, true);
    return undefined;
  }
}

/** The value of a string, as text, JSON, bytes or bits. */
export class StringEditor {
  constructor(pane) {
    this.pane = pane;
    const { told } = pane;
    this.forms = this.possible(told);
    const wanted = localStorage.getItem("carnelian.form");
    this.form = [pane.form, wanted].find((form) => this.forms.includes(form)) ?? this.forms[0];
    if (!pane.form && isJson(told.value)) this.form = "JSON";
    this.area = h("div", { class: "stack grow" });
    this.element = h("div", { class: "stack grow" },
      h("div", { class: "row tools" },
        select(this.forms, this.form, (event) => {
          if (event.target.value !== "Bits") localStorage.setItem("carnelian.form", event.target.value);
          this.form = event.target.value;
          pane.form = this.form;
          this.draw();
        }, { "aria-label": "Show as" }),
        told.distinct === undefined ? null
          : h("span", { class: "fact" }, "HyperLogLog, about ", h("b", {}, whole(told.distinct)), " distinct elements"),
        told.bits === undefined ? null
          : h("span", { class: "fact" }, h("b", {}, whole(told.bits)), " bits are set")),
      this.area);
    this.draw();
  }

  possible(told) {
    const forms = isText(told.value) ? ["Text", "JSON"] : ["Bytes"];
    if (isText(told.value)) forms.push("Bytes");
    // A HyperLogLog whose bits somebody turns is none any more.
    return told.distinct === undefined ? [...forms, "Bits"] : forms;
  }

  draw() {
    const { told } = this.pane;
    if (this.form === "Bits") {
      this.area.replaceChildren(...this.bits());
      return;
    }
    const editable = !told.cut && told.editable && told.distinct === undefined;
    const invalid = this.form === "JSON" && !isJson(told.value);
    this.input = h("textarea", { class: "value", readonly: !editable, spellcheck: "false", "data-keep": "text",
      "aria-label": "Value", value: this.shown(told.value),
      onkeydown: (event) => {
        if ((event.ctrlKey || event.metaKey) && event.key === "s") {
          event.preventDefault();
          this.save();
        }
      } });
    this.area.replaceChildren(
      ...(invalid && !told.cut ? [h("p", { class: "note" }, "This is no object or list in JSON.")] : []),
      this.input,
      h("div", { class: "row" },
        told.cut ? h("span", { class: "note" }, `The first ${bytes(toBytes(told.value).length)} of ${bytes(told.size)} are shown.`) : null,
        told.cut && told.editable ? button("Show all, to edit it", () => { this.pane.whole = true; this.pane.refresh(); }) : null,
        told.distinct === undefined ? null : h("span", { class: "note" }, "Add to it with PFADD in the command line."),
        editable ? button("Save", () => this.save(), "primary", { title: "Ctrl+S" }) : null,
        editable ? button("Revert", () => this.draw(), "quiet") : null));
  }

  shown(value) {
    if (this.form === "Bytes") return toHex(value);
    if (this.form === "JSON" && isJson(value)) return indented(value);
    return value;
  }

  /** What the text in the form stands for. Throws an Error. */
  meant() {
    const text = this.input.value;
    if (this.form === "Bytes") return fromHex(text);
    if (this.form !== "JSON") return text;
    try {
      JSON.parse(text);
    } catch (error) {
      throw new Error(`This is no JSON: ${error.message}`);
    }
    // It stays as compact as it was.
    const before = this.pane.told.value;
    return isJson(before) && !before.includes("\n") ? compact(text) : text;
  }

  async save() {
    let value;
    try {
      value = this.meant();
    } catch (error) {
      toast(error.message, true);
      return;
    }
    await this.pane.edit("string.set", { value, version: this.pane.told.version }, "Saved.");
  }

  bits() {
    const { told } = this.pane;
    const data = toBytes(told.value);
    const count = Math.min(data.length * 8, BITS_SHOWN);
    const cells = Array.from({ length: count }, (_, offset) => {
      const set = (data[offset >> 3] >> (7 - (offset & 7))) & 1;
      return h("button", { type: "button", class: set ? "bit set" : "bit", title: `bit ${offset}`,
        "aria-label": `bit ${offset}`, "aria-pressed": String(Boolean(set)),
        onclick: () => this.pane.edit("string.bit", { offset, bit: !set }) }, String(set));
    });
    return [h("div", { class: "bits" }, cells),
      h("div", { class: "row" },
        h("span", { class: "muted" }, `${whole(count)} of ${whole(told.size * 8)} bits are shown.`),
        button("Set a bit…", async () => {
          const wanted = await ask("Set a bit", [
            { name: "offset", label: "Offset", type: "number", min: 0, required: true },
            { name: "bit", label: "Set it to 1", type: "checkbox", value: true }]);
          if (wanted) await this.pane.edit("string.bit", { offset: Number(wanted.offset), bit: wanted.bit });
        }))];
  }
}
