// Scores: one press for the scales that are one number, item by item for Aldrete and PADSS, with the
// items filled in that follow from the readings (clinical 5).

import { button, element } from "./element.js";
import { tile } from "./panel.js";
import { clockShort, keyed, number, say } from "./words.js";

const upTo = (most) => Array.from({ length: most + 1 }, (_, level) => level);

/** Scales of one number; those with `words` say what each level means, the others what the ends mean. */
const SCALES = {
  moaas: { levels: upTo(5).reverse(), words: true },
  pain: { levels: upTo(10) },
  dissociation: { levels: upTo(4) },
  nausea: { levels: upTo(10) },
};

/** Scales of five items with 2, 1 or 0 points each. */
const SUMS = {
  aldrete: ["activity", "respiration", "circulation", "consciousness", "oxygen"],
  padss: ["vital-signs", "activity", "nausea", "pain", "bleeding"],
};
const POINTS = [2, 1, 0];

/** Every scale with its newest score. */
export function scores(desk) {
  const newest = (scale) => desk.board.session?.scores?.find((score) => score.scale === scale);
  const detail = (scale) => {
    const score = newest(scale);
    return score ? say("score.newest", { n: score.value, time: clockShort(score.at) }) : "";
  };
  const all = [...Object.keys(SCALES), ...Object.keys(SUMS)];
  desk.panel.open({
    name: "scores",
    title: say("score.title"),
    body: [
      element(
        "div",
        { className: "tiles" },
        ...all.map((scale) =>
          tile(say(`scale.${scale}`), detail(scale), () => (SUMS[scale] ? sum(desk, scale) : level(desk, scale)), {
            dataset: { scale },
          }),
        ),
      ),
    ],
    back: () => desk.close(),
  });
}

async function save(desk, scale, value) {
  const answer = await desk.send({ command: "score", scale, value });
  desk.after(answer, () => desk.open && scores(desk));
  return answer;
}

/** One press takes the score. */
export function level(desk, scale) {
  const { levels, words } = SCALES[scale];
  desk.panel.open({
    name: scale,
    title: say(`scale.${scale}`),
    text: words ? "" : say(`scale.${scale}-ends`),
    body: [
      element(
        "div",
        { className: words ? "levels spoken" : "levels" },
        ...levels.map((value) => {
          const press = () => save(desk, scale, value);
          return tile(number(value), words ? say(`moaas.${value}`) : "", press, { value: String(value) });
        }),
      ),
    ],
    back: () => scores(desk),
  });
}

/** Five items; what the readings say is filled in and can be changed. */
export function sum(desk, scale) {
  const computed = desk.board.session?.computed?.[scale] ?? {};
  const points = new Map();
  const known = new Set();
  for (const item of SUMS[scale]) {
    const value = computed[item];
    if (value === null || value === undefined) continue;
    points.set(item, value);
    known.add(item);
  }
  const go = button("", () => saveSum(desk, scale, points), keyed("form.save", { className: "main" }));
  const rows = SUMS[scale].map((item) => {
    const buttons = POINTS.map((value) =>
      button("", () => set(item, value), { value: String(value), className: "choice", dataset: { item } }),
    );
    buttons.forEach((node, place) =>
      node.append(element("b", { textContent: number(POINTS[place]) }), element("i", { textContent: say(`sum.${scale}.${item}-${POINTS[place]}`) })),
    );
    const tag = element("i", { textContent: say("score.computed"), hidden: !known.has(item) });
    const name = element("span", { className: "item" }, element("b", { textContent: say(`sum.${scale}.${item}`) }), tag);
    return element("div", { className: "row", role: "group", ariaLabel: say(`sum.${scale}.${item}`) }, name, ...buttons);
  });
  desk.panel.open({
    name: scale,
    title: say(`scale.${scale}`),
    body: [element("div", { className: "sum" }, ...rows)],
    actions: [go],
    back: () => scores(desk),
  });
  mend();

  function set(item, value) {
    points.set(item, value);
    mend();
  }

  function mend() {
    for (const row of rows) {
      for (const node of row.querySelectorAll("button")) {
        node.ariaPressed = String(points.get(node.dataset.item) === Number(node.value));
      }
    }
    const all = SUMS[scale].every((item) => points.has(item));
    go.disabled = !all;
    const value = [...points.values()].reduce((one, other) => one + other, 0);
    go.textContent = all ? say("score.save", { n: value }) : say("form.save");
  }
}

/** The sum is the score; which items made it stands beside it in the record. */
async function saveSum(desk, scale, points) {
  const value = SUMS[scale].reduce((total, item) => total + points.get(item), 0);
  const answer = await save(desk, scale, value);
  if (!answer?.done) return;
  const items = SUMS[scale].map((item) => [say(`sum.${scale}.${item}`), points.get(item)].join(" "));
  await desk.send({ command: "note", text: `${say(`scale.${scale}`)} ${value}: ${items.join(", ")}` });
}
