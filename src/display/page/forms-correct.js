// Undo by a correcting entry: the old one stays in the record, the new one says what is true. What can
// be corrected is what the board still shows: drugs, scores, and the newest remarks and rates.

import { element } from "./element.js";
import { tile } from "./panel.js";
import { clockShort, number, say } from "./words.js";

/** Entries offered; the newest first. */
const MOST = 12;
const REASONS = ["correct.mistyped", "correct.not-given", "correct.other-patient"];

/** Remarks and rates have their text in the list of events only. */
const EVENTS = [
  { kind: "note", fits: /^Note: (.*)$/s },
  { kind: "rate", fits: /^rate-change$/ },
];

function entries({ session, recent }) {
  const list = [];
  for (const drug of session.drugs ?? []) {
    if (drug.void) continue;
    const title = say("correct.drug", { name: drug.name, dose: number(drug.dose), unit: drug.unit });
    list.push({ seq: drug.seq, at: drug.at, title, field: "dose", value: drug.dose, undo: true });
  }
  for (const score of session.scores ?? []) {
    const title = `${say(`scale.${score.scale}`)} ${number(score.value)}`;
    // The newest sedation score judges; it can be corrected, not taken back.
    list.push({ seq: score.seq, at: score.at, title, field: "value", value: score.value, undo: score.scale !== "moaas" });
  }
  for (const event of recent) {
    for (const { kind, fits } of EVENTS) {
      const found = fits.exec(event.text);
      if (!found) continue;
      const title = kind === "note" ? found[1] : say("rate.title");
      list.push({ seq: event.seq, at: event.at, title, field: kind === "note" ? "text" : "ml-h", value: found[1] ?? "", undo: true });
    }
  }
  return list.sort((a, b) => b.seq - a.seq).slice(0, MOST);
}

/** Which entry was wrong. */
export function corrections(desk) {
  const list = entries(desk.board);
  desk.panel.open({
    name: "corrections",
    title: say("correct.title"),
    text: list.length === 0 ? say("correct.none") : say("correct.text"),
    body: [
      element(
        "div",
        { className: "tiles" },
        ...list.map((entry) => tile(entry.title, clockShort(entry.at), () => correct(desk, entry), { dataset: { seq: String(entry.seq) } })),
      ),
    ],
    back: () => desk.more(),
  });
}

function correct(desk, { seq, at, title, field, value, undo }) {
  const isText = field === "text";
  const choices = [["replace", say("correct.replace")], ...(undo ? [["void", say("correct.void")]] : [])];
  desk.ask({
    name: "correct",
    title: say("correct.entry", { entry: title, time: clockShort(at) }),
    action: "form.save",
    fields: [
      { kind: "chosen", name: "how", label: "correct.how", options: choices, needed: true, value: undo ? null : "replace" },
      { name: "value", label: isText ? "note.text" : "limit.new", number: !isText, min: -5, value, wide: true },
      { kind: "chosen", name: "reason", label: "form.reason", options: REASONS.map((key) => [say(key), say(key)]), other: true, needed: true },
    ],
    submit: async ({ how, value: now, reason }) => {
      if (how === "replace" && (now === undefined || now === value)) {
        desk.panel.tell(say("correct.same"));
        return;
      }
      const fields = how === "void" ? { void: true } : { [field]: now };
      desk.after(await desk.send({ command: "correct", seq, ...fields, reason }));
    },
    back: () => corrections(desk),
  });
}
