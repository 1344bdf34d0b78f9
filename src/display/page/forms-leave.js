// The end of a session: what the patient must reach before leaving, signatures, and the closing by a
// named person. The list is computed by the daemon; the page only shows it and says what people saw.

import { button, element, mark, setText, show } from "./element.js";
import { level, sum } from "./forms-scores.js";
import { staff } from "./staff.js";
import { keyed, say, told } from "./words.js";

const SIGNS = { met: "✓", open: "✗", unknown: "?" };
/** What a computed item needs from a person, if anything. */
const SCORES = {
  aldrete: (desk) => sum(desk, "aldrete"),
  padss: (desk) => sum(desk, "padss"),
  sedation: (desk) => level(desk, "moaas"),
};
const ROLES = ["nurse", "clinician", "witness"];

/** The ready-to-leave checklist, always as it stands now. */
export function checklist(desk) {
  const list = element("div", { className: "checklist" });
  const ready = element("p", { className: "ready", role: "status" });
  // What is measured first, then what people do.
  const rows = desk.board.session.checklist.map(({ item, by_person: isSaid }) => row(desk, item, isSaid));
  const isPressed = (node) => node.tagName === "BUTTON";
  list.append(...rows.filter((node) => !isPressed(node)), ...rows.filter(isPressed));
  const close = button("", () => closing(desk), keyed("session.close", { className: "main" }));
  const sign = button("", () => signature(desk, () => checklist(desk)), keyed("more.sign"));
  desk.panel.open({
    name: "checklist",
    title: say("more.checklist"),
    body: [ready, list],
    actions: [close, sign],
    draw: ({ session, phase }) => {
      if (!session?.checklist) return;
      for (const known of session.checklist) drawItem(list.querySelector(`[data-item="${known.item}"]`), known);
      const open = session.checklist.filter(({ state }) => state !== "met").length;
      mark(ready, "ready", String(session.ready_to_leave));
      setText(ready, session.ready_to_leave ? say("leave.ready") : say("leave.not-ready", { n: open }));
      show(close, ["baseline", "recovery", "observation"].includes(phase));
    },
    back: () => desk.close(),
  });
  desk.panel.draw(desk.board);
}

function row(desk, item, isSaid) {
  const open = SCORES[item];
  const parts = [element("b", { className: "sign" }), element("span", {}, element("span", { className: "name" }), element("i"))];
  if (!isSaid && !open) return element("div", { className: "item", dataset: { item } }, ...parts);
  const node = button(
    "",
    async () => {
      if (!isSaid) return open(desk);
      const met = desk.board.session.checklist.find((known) => known.item === item).state !== "met";
      return desk.after(await desk.send({ command: "check", item, met }), () => {});
    },
    { className: isSaid ? "item said" : "item", dataset: { item } },
  );
  node.append(...parts);
  return node;
}

function drawItem(node, { state, text, detail }) {
  if (!node) return;
  mark(node, "state", state);
  setText(node.querySelector(".sign"), SIGNS[state]);
  setText(node.querySelector(".name"), told(text));
  // That a score is not known is said by the sign; pressing takes it.
  const hasMore = Boolean(detail) && (state !== "unknown" || node.tagName !== "BUTTON");
  setText(node.querySelector("i"), hasMore ? told(detail) : "");
  show(node.querySelector("i"), hasMore);
  node.ariaLabel = [told(text), say(`leave.${state}`)].join(": ");
}

/** A signature in a role. */
export async function signature(desk, back = () => desk.more()) {
  if (!(await desk.admit("sign"))) return;
  desk.ask({
    name: "sign",
    title: say("sign.title"),
    action: "sign.action",
    fields: [
      {
        kind: "chosen", name: "role", label: "sign.role", needed: true,
        options: ROLES.map((role) => [role, say(`role.${role}`)]),
      },
      { kind: "person", name: "by", label: "form.by", needed: true, ...staff.whoFor("sign") },
    ],
    submit: async (who) => desk.after(await desk.send({ command: "sign", ...who }), back),
    back,
  });
}

/** Closing ends monitoring: it is asked, with what is still open in sight, and somebody is named. */
export async function closing(desk) {
  if (!(await desk.admit("close-session"))) return;
  const session = desk.board.session;
  const open = session?.checklist?.filter(({ state }) => state !== "met").length ?? 0;
  const isDone = session?.checklist === undefined || open === 0;
  desk.ask({
    name: "close-session",
    title: say("close.title"),
    text: isDone ? say("close.text") : `${say("close.text")} ${say("leave.not-ready", { n: open })}`,
    action: "session.close",
    fields: [{ kind: "person", name: "by", label: "form.by", needed: true, ...staff.whoFor("close-session") }],
    submit: ({ by }) => desk.gated({ command: "close-session", by }, "close.override"),
  });
}
