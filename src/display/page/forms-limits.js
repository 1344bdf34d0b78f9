// The limits of this session: what judges now, how far it may be moved, old and new beside each other,
// a reason for every change, and the way back to the profile's in one press. And the baseline.

import { button, element, mark, setText, show } from "./element.js";
import { tile } from "./panel.js";
import { PREFIX, keyed, number, parameter, rule as ruleName, say } from "./words.js";

const TIERS = ["low", "medium", "high"];
/** Rules whose values violate from below; all others from above. */
const isLow = (rule) => rule.endsWith("-low") || rule === "oversedated";
const REASONS = ["reason.usual", "reason.chronic", "reason.prescriber", "reason.athlete"];
const BASELINE_REASONS = ["reason.outlier", "reason.earlier", "reason.prescriber"];

/** All limits, by rule and priority; pressing one changes it. */
export function limits(desk, from = 0) {
  const rules = [...new Set(desk.board.session.limits.map(({ rule }) => rule))];
  const find = (rule, tier) => desk.board.session.limits.find((row) => row.rule === rule && row.tier === tier);
  const table = element("div", { className: "limits-table", role: "table" });
  const restore = button("", () => restoreAll(desk), keyed("limit.restore", { className: "restore" }));
  const turn = button("", () => limits(desk, next), { className: "quiet turn" });
  let next = 0;

  function cell(rule, tier) {
    const row = find(rule, tier);
    if (!row) return element("span", { role: "cell" });
    if (row.value === null) {
      const follows = element("span", { className: "follows", role: "cell", textContent: say("limit.follows") });
      follows.title = row.relative?.join(", ") ?? "";
      return follows;
    }
    const node = tile("", "", () => change(desk, rule, tier, from), { dataset: { tier } });
    node.role = "cell";
    return node;
  }

  desk.panel.open({
    name: "limits",
    title: say("limit.title", { profile: desk.board.profile }),
    body: [table],
    actions: [restore, turn],
    draw: () => {
      if (!desk.board.session?.limits) return;
      for (const node of table.querySelectorAll("button")) {
        const row = find(node.closest(".row").dataset.rule, node.dataset.tier);
        if (row) drawCell(node, row);
      }
      const changed = desk.board.session.limits.some(({ source }) => source === "nurse");
      show(restore, changed);
    },
    back: () => desk.more(),
  });
  const count = rowsThatFit(desk.panel.height);
  next = from + count < rules.length ? from + count : 0;
  show(turn, count < rules.length);
  setText(turn, say("form.page", { n: Math.floor(from / count) + 1, m: Math.ceil(rules.length / count) }));
  table.append(head(), ...rules.slice(from, from + count).map(line));
  desk.panel.draw(desk.board);

  function head() {
    const names = TIERS.map((tier) =>
      element("span", { role: "columnheader", textContent: [PREFIX[tier], say(`tier.${tier}`)].join(" ") }),
    );
    return element("div", { className: "head", role: "row" }, element("span", { role: "columnheader" }), ...names);
  }

  function line(rule) {
    const name = element("span", { className: "item", role: "rowheader", textContent: ruleName(rule) });
    return element("div", { className: "row", role: "row", dataset: { rule } }, name, ...TIERS.map((tier) => cell(rule, tier)));
  }
}

/** How many rows fit under each other without scrolling: each a key high, between title and actions. */
function rowsThatFit(height) {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const key = Math.max(3 * rem, 48) + 0.3 * rem;
  const touch = document.querySelector("#controls").offsetHeight;
  return Math.max(2, Math.floor((height - touch - 6.5 * rem) / key));
}

const sign = (rule) => (isLow(rule) ? "<" : ">");

function drawCell(node, row) {
  const isChanged = row.source === "nurse" && row.profile_value !== null && row.profile_value !== row.value;
  setText(node.querySelector("b"), `${sign(row.rule)} ${number(row.value)}`);
  setText(node.querySelector("i"), isChanged ? say("limit.was", { n: row.profile_value }) : "");
  show(node.querySelector("i"), isChanged);
  mark(node, "changed", String(row.source === "nurse"));
}

async function restoreAll(desk) {
  if (!(await desk.admit("restore-limits"))) return;
  desk.after(await desk.send({ command: "restore-limits" }), () => limits(desk));
}

function rails({ low_rail: low, high_rail: high }) {
  if (low != null && high != null) return say("limit.rails", { low, high });
  if (low != null) return say("limit.low-rail", { low });
  return high != null ? say("limit.high-rail", { high }) : "";
}

async function change(desk, rule, tier, from) {
  if (!(await desk.admit("set-limit"))) return;
  const row = desk.board.session.limits.find((known) => known.rule === rule && known.tier === tier);
  const node = desk.ask({
    name: "limit",
    title: say("limit.change", { rule: ruleName(rule), tier: say(`tier.${tier}`) }),
    text: [say("limit.old", { n: row.value }), row.profile_value !== null && say("limit.profile", { n: row.profile_value }), rails(row)]
      .filter(Boolean)
      .join(" · "),
    action: "form.save",
    fields: [
      {
        name: "value",
        label: "limit.new",
        number: true,
        needed: true,
        wide: true,
        min: row.low_rail ?? 0,
        max: row.high_rail ?? Infinity,
        value: row.value,
        usual: [row.value - 2, row.value - 1, row.value + 1, row.value + 2],
      },
      { kind: "chosen", name: "reason", label: "form.reason", options: REASONS.map((key) => [say(key), say(key)]), other: true, needed: true },
    ],
    submit: async ({ value, reason }) => {
      const answer = await desk.send({ command: "set-limit", rule, tier, value, reason });
      desk.after(answer, () => limits(desk, from));
    },
    back: () => limits(desk, from),
  });
  const input = node.querySelector("[name=value]");
  const label = input.parentElement.querySelector("span");
  const told = () => setText(label, say("limit.from-to", { from: row.value, to: input.value || "–" }));
  input.addEventListener("input", told);
  told();
}

/** The baseline as it stands, with the readings behind it; pressing one replaces it. */
export function baseline(desk) {
  const known = desk.board.session.baseline;
  desk.panel.open({
    name: "baseline",
    title: say("baseline.title"),
    text: known.some(({ value }) => value !== null) ? "" : say("baseline.none"),
    body: [
      element(
        "div",
        { className: "tiles" },
        ...known.map(({ parameter: name, value, readings }) =>
          tile(
            `${parameter(name)} ${value === null ? "--" : number(value)}`,
            readings === 0 ? say("baseline.by-hand") : say("baseline.readings", { n: readings }),
            () => replaceBaseline(desk, name, value),
          ),
        ),
      ),
    ],
    back: () => desk.more(),
  });
}

async function replaceBaseline(desk, name, value) {
  if (!(await desk.admit("set-baseline"))) return;
  desk.ask({
    name: "set-baseline",
    title: say("baseline.replace", { parameter: parameter(name) }),
    text: value === null ? "" : say("limit.old", { n: value }),
    action: "form.save",
    fields: [
      { name: "value", label: "limit.new", number: true, needed: true, wide: true, max: 400 },
      {
        kind: "chosen", name: "reason", label: "form.reason", needed: true, other: true,
        options: BASELINE_REASONS.map((key) => [say(key), say(key)]),
      },
    ],
    submit: async (told) => {
      const answer = await desk.send({ command: "set-baseline", parameter: name, ...told });
      desk.after(answer, () => baseline(desk));
    },
    back: () => baseline(desk),
  });
}
