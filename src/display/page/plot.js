// A picture of a stretch of time: SpO₂ above, rate line and pressure bars below, with the limits of now, the
// baseline's band, alarms, and what was done. No number is no line: a gap stays a gap.

import { clock, clockShort, say } from "./words.js";

const SPO2 = { low: 80, high: 100, floor: 0, ceiling: 100, step: 10 };
const BELOW = { low: 40, high: 200, floor: 0, ceiling: 320, step: 40 };
/** The baseline's band (clinical facts, 10). */
const BAND = 0.2;
/** A gap longer than this share of the time shown, and than these milliseconds, breaks a line. */
const GAP = 0.01;
const GAP_MS = 15000;
/** Two values of one cuff reading may be told this far apart. */
const SAME_READING_MS = 5000;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const TICKS = [10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE, 120 * MINUTE];
const COLOURS = ["spo2", "rate", "pressure", "dim", "line", "band", "mark", "text", "high-edge", "medium", "low", "tile"];

/** A scale that holds every value of these trends. */
function scale({ low, high, floor, ceiling, step }, trends) {
  let [bottom, top] = [low, high];
  for (const points of trends) {
    for (const { min, max, value } of points) {
      if (value === null) continue;
      while (bottom > floor && (min ?? value) < bottom) bottom -= step;
      while (top < ceiling && (max ?? value) > top) top += step;
    }
  }
  return { low: Math.max(floor, bottom), high: Math.min(ceiling, top), step };
}

export class Plot {
  #root;
  #canvas;
  #pen;
  #colours = null;
  #rem = 16;
  #frame = { left: 0, right: 1, top: 0, bottom: 1, width: 1, height: 1 };
  #picture = null;

  /** Draws into a canvas of the size of `root`. */
  constructor(root) {
    this.#root = root;
    this.#canvas = root.querySelector("canvas");
    this.#pen = this.#canvas.getContext("2d");
    new ResizeObserver(() => this.#picture && this.draw(this.#picture)).observe(root);
  }

  /** The time (Unix ms) under a place of the screen. */
  timeAt(clientX) {
    const { left, right } = this.#frame;
    const { start, end } = this.#picture;
    const x = clientX - this.#root.getBoundingClientRect().left;
    return start + ((x - left) / (right - left)) * (end - start);
  }

  /** How many pixels wide the time shown is. */
  get width() {
    return Math.max(1, this.#frame.right - this.#frame.left);
  }

  /**
   * `{start, end}` in Unix ms; `series` by part, or `null` when the record cannot be read; `board`;
   * `happenings`; `alarm`: one whose time is shaded.
   */
  draw(picture) {
    this.#picture = picture;
    const { clientWidth: width, clientHeight: height } = this.#root;
    if (width === 0 || height === 0) return;
    const ratio = window.devicePixelRatio;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    const style = getComputedStyle(document.documentElement);
    this.#colours ??= Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`)]));
    const rem = parseFloat(style.fontSize);
    this.#rem = rem;
    const pen = this.#pen;
    pen.scale(ratio, ratio);
    pen.font = `${1.3 * rem}px ${getComputedStyle(document.body).fontFamily}`;
    this.#frame = { left: 3.4 * rem, right: width - 0.9 * rem, top: 2 * rem, bottom: height - 2 * rem, width, height };
    const { start, end, series } = picture;
    const { left, right, top, bottom } = this.#frame;
    const x = (t) => left + ((t - start) / (end - start)) * (right - left);
    const split = top + (bottom - top) * 0.36;
    const pane = (from, to, { low, high }) => (value) =>
      to - ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * (to - from);
    const above = scale(SPO2, series ? [series.spo2] : []);
    const below = scale(BELOW, series ? [series.rate, series.sys, series.dia] : []);
    const upper = pane(top, split - 0.7 * rem, above);
    const lower = pane(split + 0.7 * rem, bottom, below);
    this.#ticks(x);
    this.#grid(upper, above);
    this.#grid(lower, below);
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, right - left, height);
    pen.clip();
    this.#shade(x);
    this.#band(lower);
    this.#limits(x, upper, lower);
    if (series) {
      const gap = Math.max(GAP_MS, GAP * (end - start));
      this.#line(series.spo2, x, upper, this.#colours.spo2, gap);
      this.#line(series.rate, x, lower, this.#colours.rate, gap);
      this.#bars(series, x, lower);
    }
    this.#marks(x);
    pen.restore();
    if (!series) this.#say((left + right) / 2, (top + bottom) / 2, say("trend.none"), this.#colours.text, "center");
  }

  #say(x, y, text, colour, align = "left", baseline = "middle") {
    const pen = this.#pen;
    pen.fillStyle = colour;
    pen.textAlign = align;
    pen.textBaseline = baseline;
    pen.fillText(text, x, y);
  }

  #stroke(colour, width, points) {
    const pen = this.#pen;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    points.forEach(([x, y], place) => (place % 2 === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)));
    pen.stroke();
  }

  #ticks(x) {
    const { start, end } = this.#picture;
    const { left, right, top, bottom, height } = this.#frame;
    const room = (right - left) / (end - start);
    const least = 6.5 * this.#rem;
    const step = TICKS.find((tick) => tick * room >= least) ?? TICKS.at(-1);
    const name = step < MINUTE ? clock : clockShort;
    // Full hours and minutes of the clock on the wall, not of UTC.
    const offset = new Date(start).getTimezoneOffset() * MINUTE;
    for (let t = Math.ceil((start - offset) / step) * step + offset; t <= end; t += step) {
      const at = Math.round(x(t)) + 0.5;
      this.#stroke(this.#colours.line, 1, [[at, top], [at, bottom]]);
      const half = this.#pen.measureText(name(t)).width / 2;
      const inside = Math.min(right - half, Math.max(half, at));
      this.#say(inside, height - 0.3 * this.#rem, name(t), this.#colours.dim, "center", "bottom");
    }
  }

  #grid(y, { low, high, step }) {
    const { left, right } = this.#frame;
    let above = Infinity;
    for (let value = high; value >= low; value -= step) {
      // In a low picture only the lines whose names have room.
      if (y(value) - above < 1.4 * this.#rem && above !== Infinity) continue;
      above = y(value);
      const at = Math.round(y(value)) + 0.5;
      this.#stroke(this.#colours.line, 1, [[left, at], [right, at]]);
      this.#say(left - 0.5 * this.#rem, at, value, this.#colours.dim, "right");
    }
  }

  #shade(x) {
    const { alarm, end } = this.#picture;
    if (!alarm) return;
    const { top, bottom } = this.#frame;
    const from = x(Date.parse(alarm.began));
    const to = x(alarm.ended ? Date.parse(alarm.ended) : end);
    this.#pen.fillStyle = this.#colours.band;
    this.#pen.fillRect(from, top, Math.max(2, to - from), bottom - top);
    this.#stroke(this.#colour(alarm.priority), 2, [[from, top], [from, bottom], [to, top], [to, bottom]]);
  }

  #band(y) {
    const base = this.#picture.board.session?.baseline.find(({ parameter }) => parameter === "nibp-sys")?.value;
    if (base == null) return;
    const { left, right } = this.#frame;
    const top = y(base * (1 + BAND));
    this.#pen.fillStyle = this.#colours.band;
    this.#pen.fillRect(left, top, right - left, y(base * (1 - BAND)) - top);
  }

  /** The limits that judge now, over the time for which they have held. */
  #limits(x, upper, lower) {
    const { board, happenings, end } = this.#picture;
    const since = happenings?.limitsSince ?? null;
    if (since === null) return;
    const pen = this.#pen;
    pen.setLineDash([0.5 * this.#rem, 0.5 * this.#rem]);
    for (const { parameter, judged, limits } of board.vitals) {
      const [y, colour] = this.#place(parameter, upper, lower);
      if (!y || !judged || limits.off) continue;
      for (const limit of [limits.low, limits.high]) {
        if (limit === null) continue;
        this.#stroke(colour, 1.5, [[x(since), y(limit)], [x(end), y(limit)]]);
      }
    }
    pen.setLineDash([]);
  }

  #place(parameter, upper, lower) {
    if (parameter === "spo2") return [upper, this.#colours.spo2];
    if (["hr", "pr"].includes(parameter)) return [lower, this.#colours.rate];
    if (["nibp-sys", "art-sys"].includes(parameter)) return [lower, this.#colours.pressure];
    return [null, null];
  }

  #line(points, x, y, colour, gap) {
    const pen = this.#pen;
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    pen.beginPath();
    let last = null;
    for (const { t, value, min, max } of points) {
      if (value === null) {
        last = null;
        continue;
      }
      if (last !== null && t - last <= gap) pen.lineTo(x(t), y(value));
      else pen.moveTo(x(t) - 1, y(value));
      // Lowest and highest of a thinned stretch stay visible.
      if (min != null && max != null && min !== max) {
        pen.lineTo(x(t), y(min));
        pen.lineTo(x(t), y(max));
      }
      pen.lineTo(x(t), y(value));
      last = t;
    }
    pen.stroke();
  }

  #bars({ sys, dia }, x, y) {
    const width = Math.max(3, 0.28 * this.#rem);
    let place = 0;
    for (const { t, value } of sys) {
      if (value === null) continue;
      while (place < dia.length && dia[place].t < t - SAME_READING_MS) place += 1;
      const low = dia[place];
      if (!low || low.value === null || low.t > t + SAME_READING_MS) continue;
      this.#stroke(this.#colours.pressure, width, [[x(t), y(value)], [x(t), y(low.value)]]);
    }
  }

  #colour(priority) {
    return this.#colours[priority === "high" ? "high-edge" : priority];
  }

  /** Starts and stops as lines with their names; alarms and notes as signs above the picture. */
  #marks(x) {
    const { happenings, start, end } = this.#picture;
    if (!happenings) return;
    const { top, bottom } = this.#frame;
    const rem = this.#rem;
    const inside = ({ t }) => t >= start && t <= end;
    const marks = [...happenings.flow, ...happenings.notes].filter(inside).sort((a, b) => a.t - b.t);
    marks.forEach(({ t, kind, text }, place) => {
      const at = Math.round(x(t)) + 0.5;
      const next = place + 1 < marks.length ? x(marks[place + 1].t) - rem : this.#frame.right;
      if (text === undefined) {
        this.#stroke(this.#colours.mark, 2, [[at, 0.3 * rem], [at, bottom]]);
        this.#name(at + 0.4 * rem, say(`trend.${kind}`), this.#colours.mark, next);
      } else {
        this.#stroke(this.#colours.dim, 1, [[at, top], [at, bottom]]);
        this.#letter(at, say(`trend.sign-${kind}`));
        this.#name(at + 1.1 * rem, text, this.#colours.text, next);
      }
    });
    for (const alarm of happenings.alarms) {
      const t = Date.parse(alarm.began);
      if (inside({ t })) this.#sign(x(t), bottom - 0.9 * rem, alarm.priority);
    }
  }

  /** Writes a name, or as much of it as fits before the next mark. */
  #name(x, text, colour, next) {
    const fits = (part) => x + this.#pen.measureText(part).width <= next;
    let shown = text;
    for (let length = Math.min(text.length, 40); length >= 3 && !fits(shown); length -= 1) {
      shown = `${text.slice(0, length)}…`;
    }
    if (fits(shown)) this.#say(x, 0.1 * this.#rem, shown, colour, "left", "top");
  }

  #letter(x, text) {
    const pen = this.#pen;
    const rem = this.#rem;
    pen.fillStyle = this.#colours.dim;
    pen.beginPath();
    pen.arc(x, 0.9 * rem, 0.85 * rem, 0, 2 * Math.PI);
    pen.fill();
    this.#say(x, 0.95 * rem, text, this.#colours.tile, "center");
  }

  /** The shape of a priority, as in the alarm line. */
  #sign(x, y, priority) {
    const pen = this.#pen;
    const r = 0.7 * this.#rem;
    pen.fillStyle = this.#colour(priority);
    pen.beginPath();
    if (priority === "high") {
      pen.moveTo(x, y - r);
      pen.lineTo(x + r, y + r);
      pen.lineTo(x - r, y + r);
    } else if (priority === "medium") {
      pen.moveTo(x, y - r);
      pen.lineTo(x + r, y);
      pen.lineTo(x, y + r);
      pen.lineTo(x - r, y);
    } else {
      pen.arc(x, y, r, 0, 2 * Math.PI);
    }
    pen.fill();
  }
}
