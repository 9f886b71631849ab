// Elements, numbers for people, messages and dialogs.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in PROPERTIES) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const PROPERTIES = { value: 1, checked: 1, disabled: 1, textContent: 1, indeterminate: 1 };

/** An element with attributes, listeners (`onclick: f`) and children. */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** A button; `kind` is a class such as "primary", "danger", "quiet". */
export function button(text, onclick, kind = "", attributes = {}) {
  return h("button", { type: "button", class: kind, onclick, ...attributes }, text);
}

/** A select with `[value, text]` or plain words. */
export function select(options, value, onchange, attributes = {}) {
  const element = h("select", { onchange, ...attributes }, options.map((option) => {
    const [word, text] = Array.isArray(option) ? option : [option, option];
    return h("option", { value: word }, text);
  }));
  element.value = value;
  return element;
}

// -- Numbers ---------------------------------------------------------------------------------------

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];

/** Bytes as people say them. */
export function bytes(count) {
  if (count === null || count === undefined) return "-";
  let unit = 0;
  while (Math.abs(count) >= 1024 && unit < UNITS.length - 1) {
    count /= 1024;
    unit += 1;
  }
  return `${unit && count < 100 ? count.toFixed(1) : Math.round(count)} ${UNITS[unit]}`;
}

/** A count, short. */
export function short(count) {
  if (count === null || count === undefined) return "-";
  if (Math.abs(count) >= 1e6) return `${(count / 1e6).toFixed(count < 1e7 ? 2 : 1)} M`;
  if (Math.abs(count) >= 1e4) return `${(count / 1e3).toFixed(count < 1e5 ? 1 : 0)} k`;
  return whole(Math.abs(count) < 10 ? Math.round(count * 10) / 10 : Math.round(count));
}

/** A count in full. */
export function whole(count) {
  if (count === null || count === undefined) return "-";
  return typeof count === "object" ? count.int : Number(count).toLocaleString("en");
}

/** Microseconds as people say them. */
export function micros(count) {
  if (count === null || count === undefined) return "-";
  if (count < 1000) return `${count < 10 ? count.toFixed(1) : Math.round(count)} µs`;
  if (count < 1e6) return `${(count / 1e3).toFixed(count < 1e4 ? 2 : 1)} ms`;
  return `${(count / 1e6).toFixed(2)} s`;
}

/** A time span of seconds. */
export function span(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "-";
  const parts = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const at = parts.findIndex(([size]) => seconds >= size);
  if (at < 0) return seconds > 0 ? `${Math.round(seconds * 1000)} ms` : "0 s";
  const [size, unit] = parts[at];
  const next = parts[at + 1];
  const rest = next ? Math.floor((seconds % size) / next[0]) : 0;
  return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${next[1]}` : ""}`;
}

/** A moment of seconds since 1970, in local time. */
export function moment(seconds, date = false) {
  const when = new Date(seconds * 1000);
  const time = when.toLocaleTimeString([], { hour12: false });
  return date ? `${when.toLocaleDateString("sv")} ${time}` : time;
}

// -- Messages and dialogs --------------------------------------------------------------------------

let toasts = null;

/** Tell something for some seconds; errors stay longer. */
export function toast(text, bad = false) {
  toasts ??= document.body.appendChild(h("div", { class: "toasts", role: "status" }));
  const shown = h("div", { class: bad ? "toast bad" : "toast", role: bad ? "alert" : null }, text,
    button("×", () => shown.remove(), "quiet icon", { "aria-label": "Close" }));
  toasts.append(shown);
  setTimeout(() => shown.remove(), bad ? 10000 : 3500);
}

/** Do something that may fail, and tell if it does; undefined then. */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    if (error.status !== 401) toast(error.message, true);
    return undefined;
  }
}

function open(content, label) {
  const element = h("dialog", { "aria-label": label }, content);
  document.body.append(element);
  element.addEventListener("close", () => element.remove());
  // A click beside it closes it.
  element.addEventListener("pointerdown", (event) => {
    if (event.target === element) element.close();
  });
  element.showModal();
  return element;
}

/**
 * Ask for fields `{name, label, type, value, options, help, required}`; null if called off.
 * Types are those of input, "textarea", "select", "checkbox".
 */
export function ask(title, fields, { submit = "Save", danger = false, text = "" } = {}) {
  return new Promise((resolve) => {
    const inputs = {};
    const rows = fields.map((field) => {
      const input = makeInput(field);
      inputs[field.name] = input;
      const help = field.help ? h("small", {}, field.help) : null;
      if (field.type === "checkbox") return h("label", { class: "check" }, input, field.label, help);
      return h("label", { class: "field", "data-field": field.name }, h("span", {}, field.label),
        input, help);
    });
    let result = null;
    const form = h("form", {
      method: "dialog",
      onsubmit: (event) => {
        event.preventDefault();
        result = Object.fromEntries(Object.entries(inputs).map(([name, input]) =>
          [name, input.type === "checkbox" ? input.checked : input.value]));
        dialog.close();
      },
    }, h("h2", {}, title), text ? h("p", {}, text) : null, rows,
    h("div", { class: "row end" },
      button("Cancel", () => dialog.close(), "quiet"),
      h("button", { type: "submit", class: danger ? "danger" : "primary" }, submit)));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    const dialog = open(form, title);
    form.dispatchEvent(new CustomEvent("shown"));
    for (const field of fields) field.follow?.(inputs, rows);
    dialog.addEventListener("close", () => resolve(result));
  });
}

function makeInput(field) {
  const common = { name: field.name, required: field.required, placeholder: field.placeholder,
    autocomplete: "off", spellcheck: "false" };
  if (field.type === "textarea") {
    return h("textarea", { rows: field.rows ?? 6, value: field.value ?? "", ...common });
  }
  if (field.type === "select") return select(field.options, field.value, field.onchange, common);
  if (field.type === "checkbox") {
    return h("input", { type: "checkbox", checked: field.value ?? false, name: field.name });
  }
  return h("input", { type: field.type ?? "text", value: field.value ?? "", min: field.min,
    step: field.step, ...common });
}

/** Whether somebody really wants it. */
export async function confirmed(title, text, submit) {
  return (await ask(title, [], { submit, danger: true, text })) !== null;
}

/** Show something in a dialog. */
export function show(title, ...content) {
  const dialog = open(h("div", { class: "stack" }, h("h2", {}, title), ...content,
    h("div", { class: "row end" }, button("Close", () => dialog.close(), "primary",
      { autofocus: true }))), title);
}

/** A table of columns `{name, text, number}` and rows of cells. */
export function table(columns, rows, attributes = {}) {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": attributes.label },
    h("table", { class: attributes.class },
      h("thead", {}, h("tr", {}, columns.map((column) =>
        h("th", { scope: "col", class: column.number ? "number" : column.class },
          column.head ?? column.text ?? "")))),
      h("tbody", {}, rows)));
}

/** What is shown where there is nothing. */
export function empty(...content) {
  return h("p", { class: "empty" }, ...content);
}
