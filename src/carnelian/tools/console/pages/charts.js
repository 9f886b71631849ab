// Lines over time, drawn as SVG. The colours are those of the style sheet.

import { h, moment, span, svg } from "./dom.js";

const HEIGHT = 132;
const LEFT = 52;
const BOTTOM = 16;
const TOP = 6;

/**
 * A chart of some series `{label, of: (sample) => number | null}`.
 *
 * `format` makes text of a value, `least` is the smallest top of the scale; scales of bytes have
 * the `base` 1024.
 */
export class Chart {
  constructor({ title, series, format, least = 1, most = Infinity, base = 10 }) {
    Object.assign(this, { title, series, format, least, most, base });
    this.samples = [];
    this.seconds = 300;
    this.at = null;
    this.legend = h("div", { class: "legend" });
    this.picture = svg("svg", { class: "chart", height: HEIGHT, role: "img", tabindex: 0 });
    this.element = h("figure", { class: "card" },
      h("figcaption", {}, h("h3", {}, title), this.legend), this.picture);
    this.picture.addEventListener("pointermove", (event) => this.point(event.offsetX));
    this.picture.addEventListener("pointerleave", () => this.select(null));
    this.picture.addEventListener("blur", () => this.select(null));
    this.picture.addEventListener("keydown", (event) => this.step(event));
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.picture);
    // Called with the time that somebody points at, so that all charts show the same.
    this.onpoint = () => {};
  }

  /** Show samples, each with `time` in seconds, of the last `seconds`. */
  update(samples, seconds) {
    this.seconds = seconds;
    const since = (samples.at(-1)?.time ?? 0) - seconds;
    this.samples = samples.filter((sample) => sample.time >= since);
    this.draw();
  }

  point(x) {
    const share = (x - LEFT) / Math.max(this.width - LEFT, 1);
    this.onpoint(this.end - this.seconds * (1 - share));
  }

  step(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move || !this.samples.length) return;
    event.preventDefault();
    const last = this.samples.length - 1;
    const now = this.at === null ? last : this.nearest(this.at) + move;
    this.onpoint(this.samples[Math.min(Math.max(now, 0), last)].time);
  }

  /** Mark a time, or none. */
  select(time) {
    this.at = time;
    this.draw();
  }

  nearest(time) {
    let best = 0;
    this.samples.forEach((sample, at) => {
      if (Math.abs(sample.time - time) < Math.abs(this.samples[best].time - time)) best = at;
    });
    return best;
  }

  get end() {
    return this.samples.at(-1)?.time ?? 0;
  }

  x(time) {
    return LEFT + (1 - (this.end - time) / this.seconds) * (this.width - LEFT);
  }

  y(value) {
    return TOP + (1 - value / this.top) * (HEIGHT - BOTTOM - TOP);
  }

  draw() {
    this.width = this.picture.clientWidth;
    if (!this.width) return;
    const values = this.samples.flatMap((sample) => this.series.map(({ of }) => of(sample) ?? 0));
    this.top = Math.min(nice(Math.max(this.least, ...values), this.base), this.most);
    const shown = this.at === null ? this.samples.at(-1) : this.samples[this.nearest(this.at)];
    this.picture.replaceChildren(...this.grid(), ...this.lines(), ...this.mark(shown));
    this.legend.replaceChildren(...this.series.map(({ label, of }, at) =>
      h("span", { class: `key c${at}` }, `${label} `,
        h("b", {}, shown ? this.format(of(shown)) : "-"))));
    const told = this.series.map(({ label, of }) =>
      `${label} ${shown ? this.format(of(shown)) : "unknown"}`).join(", ");
    this.picture.setAttribute("aria-label", `${this.title}: ${told}`);
  }

  grid() {
    const lines = [0, 0.5, 1].map((share) => {
      const y = this.y(this.top * share);
      return svg("g", {},
        svg("line", { class: "grid", x1: LEFT, x2: this.width, y1: y, y2: y }),
        svg("text", { class: "axis", x: LEFT - 6, y: y + 3.5, "text-anchor": "end" },
          share ? this.format(this.top * share) : "0"));
    });
    const ticks = [0, 0.5, 1].map((share) => {
      const anchor = ["start", "middle", "end"][share * 2];
      const text = share === 1 ? "now" : `-${span(this.seconds * (1 - share))}`;
      return svg("text", { class: "axis", x: LEFT + share * (this.width - LEFT), y: HEIGHT - 3,
        "text-anchor": anchor }, text);
    });
    return [...lines, ...ticks];
  }

  lines() {
    return this.series.map(({ of }, at) => {
      let path = "";
      let drawing = false;
      let first = null;
      let last = null;
      for (const sample of this.samples) {
        const value = of(sample);
        if (value === null || value === undefined) {
          drawing = false;
          continue;
        }
        const x = this.x(sample.time).toFixed(1);
        path += `${drawing ? "L" : "M"}${x} ${this.y(Math.min(value, this.top)).toFixed(1)}`;
        drawing = true;
        first ??= x;
        last = x;
      }
      const line = svg("path", { class: `line c${at}`, d: path });
      if (at || first === null || path.lastIndexOf("M")) return line;
      const floor = this.y(0);
      return svg("g", {},
        svg("path", { class: "area c0", d: `${path}L${last} ${floor}L${first} ${floor}Z` }), line);
    });
  }

  mark(shown) {
    if (this.at === null || !shown) return [];
    const x = this.x(shown.time);
    const right = x > this.width - 70;
    return [
      svg("line", { class: "mark", x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }),
      svg("text", { class: "axis", x: right ? x - 4 : x + 4, y: TOP + 9,
        "text-anchor": right ? "end" : "start" }, moment(shown.time)),
    ];
  }
}

/** A round number that is not less. */
function nice(value, base) {
  const unit = base === 10 ? 1 : base ** Math.floor(Math.log(value) / Math.log(base));
  const size = unit * 10 ** Math.floor(Math.log10(value / unit));
  return [1, 2, 4, 5, 8, 10].map((step) => step * size).find((step) => step >= value);
}
