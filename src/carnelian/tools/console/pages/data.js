// Bytes: the server sends texts as strings, and what is no UTF-8 as {b64: ...}.

/** The bytes of a value. */
export function toBytes(value) {
  if (typeof value === "string") return new TextEncoder().encode(value);
  return Uint8Array.from(atob(value.b64), (char) => char.charCodeAt(0));
}

/** A value of bytes. */
export function fromBytes(data) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    let text = "";
    for (const byte of data) text += String.fromCharCode(byte);
    return { b64: btoa(text) };
  }
}

/** A name for a value, to compare and to remember it by. */
export const nameOf = (value) => (typeof value === "string" ? `t${value}` : `b${value.b64}`);

/** Whether it can be shown as text and come back unchanged. */
export const isText = (value) => typeof value === "string";

const ESCAPES = { 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 13: "\\r" };

function escaped(code) {
  return ESCAPES[code] ?? `\\x${code.toString(16).padStart(2, "0")}`;
}

/** A value in one line, with escapes for what cannot be seen. */
export function visible(value) {
  if (typeof value === "string") {
    return value.replace(/[\u0000-\u001f\u007f]/g, (char) => escaped(char.charCodeAt(0)));
  }
  let text = "";
  for (const byte of toBytes(value)) {
    text += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : escaped(byte);
  }
  return text;
}

/** A reply as redis-cli quotes it. */
export function quoted(value) {
  const text = typeof value === "string" ? value : null;
  const inner = text === null
    ? visible(value).replace(/"/g, '\\"')
    : visible(text.replace(/[\\"]/g, (char) => `\\${char}`));
  return `"${inner}"`;
}

/** Bytes as hexadecimal digits, 16 in a line. */
export function toHex(value) {
  const lines = [];
  const data = toBytes(value);
  for (let at = 0; at < data.length; at += 16) {
    lines.push(Array.from(data.slice(at, at + 16), (byte) =>
      byte.toString(16).padStart(2, "0")).join(" "));
  }
  return lines.join("\n");
}

/** The value of hexadecimal digits. Throws an Error if they are none. */
export function fromHex(text) {
  const digits = text.replace(/\s+/g, "");
  if (digits.length % 2 || /[^0-9a-fA-F]/.test(digits)) {
    throw new Error("These are no pairs of hexadecimal digits.");
  }
  const data = new Uint8Array(digits.length / 2);
  for (let at = 0; at < data.length; at += 1) {
    data[at] = parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  }
  return fromBytes(data);
}

/** Whether a text is an object or a list in JSON. */
export function isJson(value) {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return false;
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+/g;

/** JSON with line breaks. Only white space changes: numbers stay as long as they are. */
export function indented(text) {
  let depth = 0;
  let shown = "";
  const tokens = text.match(TOKENS) ?? [];
  tokens.forEach((token, at) => {
    const next = tokens[at + 1];
    if (token === "{" || token === "[") {
      shown += token;
      if (next === "}" || next === "]") return;
      depth += 1;
      shown += `\n${"  ".repeat(depth)}`;
    } else if (token === "}" || token === "]") {
      const before = tokens[at - 1];
      if (before !== "{" && before !== "[") {
        depth -= 1;
        shown += `\n${"  ".repeat(depth)}`;
      }
      shown += token;
    } else if (token === ",") {
      shown += `,\n${"  ".repeat(depth)}`;
    } else {
      shown += token === ":" ? ": " : token;
    }
  });
  return shown;
}

/** JSON without white space. */
export const compact = (text) => (text.match(TOKENS) ?? []).join("");
