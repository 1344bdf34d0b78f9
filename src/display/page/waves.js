// Waves as they arrive: one strip per wave, swept from left to right at the speed of paper, with a gap
// before the pen, as monitors do. What was not received is a gap as wide as it lasted; nothing is ever
// drawn closer together than it was. The layout of a frame is documented at the daemon's stream.

import { element, setText, show } from "./element.js";
import { say } from "./words.js";

const MOST_STRIPS = 4;
/** Pixels of a millimetre, as a browser counts them (96 to the inch). */
const PX_PER_MM = 96 / 25.4;
/** Speed of the paper, mm/s: slower for breathing (clinical facts, 10). */
const SLOW = ["resp", "co2"];
const speedOf = (label) => (SLOW.includes(label) ? 6.25 : 25);
/** Seconds kept in hand, so that chunks that come once a second flow evenly. */
const DELAY_S = 1.2;
/** After a stall the newest counts: waves are never later than the numbers by more than this. */
const MOST_DELAY_S = 3;
/** A strip without new samples for this long is removed. */
const SILENT_MS = 5000;
/** The gap before the pen, as a share of the strip. */
const GAP = 0.03;
const NO_SAMPLE = -2147483648;

const ORDER = ["ecg", "pleth", "art", "co2", "resp"];
const rank = (label) => {
  const place = ORDER.findIndex((start) => label.startsWith(start));
  return place < 0 ? ORDER.length : place;
};

/** Label, feed, rate and samples of a binary frame, or `null` for a layout we do not know. */
export function decode(buffer) {
  const view = new DataView(buffer);
  const decoder = new TextDecoder();
  if (view.byteLength < 4 || view.getUint8(0) !== 1) return null;
  let at = 1;
  const text = () => {
    const length = view.getUint8(at);
    const value = decoder.decode(new Uint8Array(buffer, at + 1, length));
    at += 1 + length;
    return value;
  };
  const label = text();
  const feed = text();
  text();
  const rate = view.getUint32(at, true);
  at += 4 + 8 + 1 + 8;
  const samples = new Int32Array((view.byteLength - at) >> 2);
  for (let place = 0; place < samples.length; place += 1) {
    samples[place] = view.getInt32(at + 4 * place, true);
  }
  return { label, feed, rate, samples };
}

/** Samples that wait for the pen: a ring, so that nothing grows and nothing is moved. */
class Waiting {
  #ring;
  #first = 0;
  length = 0;

  constructor(most) {
    this.#ring = new Int32Array(most);
  }

  /** Appends; what is too much pushes the oldest out. */
  push(samples) {
    const size = this.#ring.length;
    for (const sample of samples) {
      this.#ring[(this.#first + this.length) % size] = sample;
      if (this.length < size) this.length += 1;
      else this.#first = (this.#first + 1) % size;
    }
  }

  shift() {
    const sample = this.#ring[this.#first];
    this.#first = (this.#first + 1) % this.#ring.length;
    this.length -= 1;
    return sample;
  }
}

class Strip {
  constructor(label, rate) {
    this.label = label;
    this.rate = rate;
    this.heard = performance.now();
    this.waiting = new Waiting(Math.ceil(rate * MOST_DELAY_S));
    this.flows = false;
    /** Whether the pen has set out. */
    this.begun = false;
    this.credit = 0;
    this.drawn = new Int32Array(0);
    this.pen = 0;
    this.canvas = element("canvas");
    this.title = element("span", { textContent: `${label} · ${speedOf(label)} mm/s` });
    this.node = element("div", { className: "strip", dataset: { wave: label.split("-")[0] } }, this.title, this.canvas);
  }

  take(samples) {
    this.heard = performance.now();
    this.waiting.push(samples);
    if (this.waiting.length >= this.rate * DELAY_S) {
      this.flows = true;
      this.begun = true;
    }
  }

  /** Begins a clean strip when its size has changed. */
  fit() {
    const { clientWidth: width, clientHeight: height } = this.node;
    const scale = window.devicePixelRatio;
    const size = [Math.round(width * scale), Math.round(height * scale)];
    if (this.canvas.width === size[0] && this.canvas.height === size[1]) return width > 0 && height > 0;
    [this.canvas.width, this.canvas.height] = size;
    this.width = width;
    this.height = height;
    this.brush = this.canvas.getContext("2d");
    this.brush.scale(scale, scale);
    this.brush.strokeStyle = getComputedStyle(this.node).color;
    this.brush.lineWidth = 2;
    this.brush.lineJoin = "round";
    this.pxPerSample = (speedOf(this.label) * PX_PER_MM) / this.rate;
    this.drawn = new Int32Array(Math.max(2, Math.floor(width / this.pxPerSample))).fill(NO_SAMPLE);
    this.pen = 0;
    /** Whether a whole sweep has set the scale. */
    this.settled = false;
    return width > 0 && height > 0;
  }

  /** Draws what `seconds` bring. */
  advance(seconds) {
    if (!this.begun) return;
    this.credit += seconds * this.rate;
    const from = this.pen;
    let count = 0;
    for (; this.credit >= 1 && count < this.drawn.length / 2; this.credit -= 1) {
      // The pen goes on over a stretch without samples: the gap is as wide as it lasts.
      if (this.waiting.length === 0) this.flows = false;
      this.drawn[this.pen] = this.flows ? this.waiting.shift() : NO_SAMPLE;
      this.pen = (this.pen + 1) % this.drawn.length;
      count += 1;
      if (this.pen === 0) {
        this.#rescale();
        this.settled = this.high > this.low;
      }
    }
    if (this.credit >= 1) this.credit = 0;
    // One more while much waits, so that two clocks that differ do not fill the ring.
    if (this.flows && this.waiting.length > this.rate * 2 * DELAY_S) this.credit += 0.02 * this.rate * seconds;
    if (count > 0) this.#stroke(from, count);
  }

  /** The scale follows what the last sweep held, once in a sweep. */
  #rescale() {
    let low = Infinity;
    let high = -Infinity;
    for (const sample of this.drawn) {
      if (sample === NO_SAMPLE) continue;
      if (sample < low) low = sample;
      if (sample > high) high = sample;
    }
    this.low = low;
    this.high = high;
  }

  #y(sample) {
    const place = (sample - this.low) / (this.high - this.low || 1);
    return this.height * (0.9 - 0.74 * Math.min(1.1, Math.max(-0.1, place)));
  }

  /** Wipes the way before the pen and draws the newest `count` samples. */
  #stroke(from, count) {
    const size = this.drawn.length;
    // The first samples find their scale as they come.
    if (!this.settled) this.#rescale();
    if (!this.settled || from + count >= size) {
      this.#all();
      return;
    }
    const px = this.pxPerSample;
    this.brush.clearRect(from * px, 0, (count + GAP * size) * px, this.height);
    this.#line(Math.max(0, from - 1), from + count);
  }

  #all() {
    this.brush.clearRect(0, 0, this.width, this.height);
    const gap = Math.round(this.drawn.length * GAP);
    this.#line(0, this.pen);
    this.#line(this.pen + gap, this.drawn.length);
  }

  #line(from, to) {
    this.brush.beginPath();
    let connected = false;
    for (let place = from; place < to; place += 1) {
      const sample = this.drawn[place];
      if (sample === NO_SAMPLE) {
        connected = false;
        continue;
      }
      const x = place * this.pxPerSample;
      if (connected) this.brush.lineTo(x, this.#y(sample));
      else this.brush.moveTo(x, this.#y(sample));
      connected = true;
    }
    this.brush.stroke();
  }
}

export class Waves {
  #root = document.querySelector("#waves");
  #note = element("p", { className: "waves-note" });
  #strips = new Map();
  #shown = [];
  #last = 0;
  #running = false;
  #speed = 1;

  /** Takes the board: a demo that runs faster than life has waves that nobody could read. */
  draw(board) {
    const speed = board.demo ?? 1;
    if (speed === this.#speed) return;
    this.#speed = speed;
    this.#arrange();
  }

  /** Takes one binary frame. */
  take(buffer) {
    const frame = decode(buffer);
    if (!frame || frame.rate === 0) return;
    const key = `${frame.label} ${frame.feed}`;
    let strip = this.#strips.get(key);
    if (!strip || strip.rate !== frame.rate) {
      strip = new Strip(frame.label, frame.rate);
      this.#strips.set(key, strip);
      this.#arrange();
    }
    strip.take(frame.samples);
    if (!this.#running) {
      this.#running = true;
      this.#last = performance.now();
      requestAnimationFrame((now) => this.#turn(now));
    }
  }

  /** Forgets everything: there is no data. */
  clear() {
    this.#strips.clear();
    this.#arrange();
  }

  #arrange() {
    const fast = this.#speed > 1;
    this.#shown = fast
      ? []
      : [...this.#strips.values()].sort((a, b) => rank(a.label) - rank(b.label)).slice(0, MOST_STRIPS);
    setText(this.#note, fast ? say("waves.fast", { n: this.#speed }) : "");
    const parts = fast ? [this.#note] : this.#shown.map(({ node }) => node);
    this.#root.replaceChildren(...parts);
    this.#root.classList.toggle("fast", fast);
    show(this.#root, this.#strips.size > 0);
  }

  #turn(now) {
    const seconds = Math.min(0.25, Math.max(0, (now - this.#last) / 1000));
    this.#last = now;
    for (const [key, strip] of this.#strips) {
      if (performance.now() - strip.heard > SILENT_MS) {
        this.#strips.delete(key);
        this.#arrange();
      }
    }
    for (const strip of this.#shown) if (strip.fit()) strip.advance(seconds);
    this.#running = this.#strips.size > 0;
    if (this.#running) requestAnimationFrame((next) => this.#turn(next));
  }
}
