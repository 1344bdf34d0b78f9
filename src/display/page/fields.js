// The fields of a form: texts, numbers, one of several choices, a person. Each knows its value and
// whether it fits; what is typed is shown large, and choices are buttons, so that most forms are
// filled without a key.

import { button, element, mark, show } from "./element.js";
import { keyboard } from "./keyboard.js";
import { number, say, typed } from "./words.js";

const LONGEST = 200;

/** A text or a number: `{ name, label, number, min, max, value, usual, needed, wide }`. */
function written({ name, label, number: isNumber = false, min = 0, max = Infinity, value = "", usual = [], needed = false, wide = false }) {
  const input = element("input", {
    name,
    maxLength: isNumber ? 12 : LONGEST,
    // The page brings its own keys.
    inputMode: "none",
    autocomplete: "off",
    spellcheck: false,
    required: needed,
    value: isNumber ? number(value) : value,
    dataset: { kind: isNumber ? "number" : "text" },
  });
  input.usual = usual;
  const node = element(
    "label",
    { className: wide ? "field wide" : "field" },
    element("span", { textContent: needed ? say("form.needed", { label: say(label) }) : say(label) }),
    input,
  );
  const told = () => input.value.trim();
  const fits = () => {
    if (told() === "") return !needed;
    return !isNumber || (typed(told()) >= min && typed(told()) <= max && typed(told()) > 0);
  };
  return {
    name,
    node,
    inputs: [input],
    check() {
      input.ariaInvalid = String(!fits());
      return fits();
    },
    focus: () => input.focus(),
    value: () => (told() === "" ? undefined : isNumber ? typed(told()) : told()),
  };
}

/**
 * One of several: `options` are `[value, text]`; pressing the chosen one again takes it back. With
 * `other`, something else can be typed.
 */
function chosen({ name, label, options, other = false, needed = false, wide = true, value = null }) {
  let current = value;
  const free = written({ name: `${name}-other`, label: "form.other", wide: true });
  const [input] = free.inputs;
  const buttons = options.map(([choice, text]) => button(text, () => set(current === choice ? null : choice), { value: choice }));
  if (other) {
    buttons.push(
      button(say("form.other"), () => {
        set(null);
        show(free.node, true);
        input.focus();
      }, { className: "other" }),
    );
  }
  free.node.hidden = true;
  input.addEventListener("blur", () => show(free.node, input.value.trim() !== ""));
  input.addEventListener("input", () => input.value && mend());
  const node = element(
    "div",
    { className: wide ? "options wide" : "options", role: "group", ariaLabel: say(label), dataset: { name } },
    element("span", { textContent: needed ? say("form.needed", { label: say(label) }) : say(label) }),
    ...buttons,
  );
  const around = element("div", { className: wide ? "around wide" : "around" }, node, free.node);

  function mend() {
    for (const choice of buttons) choice.ariaPressed = String(choice.value === current && !choice.classList.contains("other"));
    mark(node, "missing", "false");
  }
  function set(choice) {
    current = choice;
    if (choice !== null) {
      input.value = "";
      show(free.node, false);
    }
    mend();
  }
  mend();
  const told = () => current ?? (input.value.trim() || undefined);
  return {
    name,
    node: around,
    inputs: other ? [input] : [],
    check() {
      const fits = !needed || told() !== undefined;
      mark(node, "missing", String(!fits));
      return fits;
    },
    focus: () => buttons[0]?.focus(),
    value: told,
  };
}

/** A person: one of those who are known here, or a name that is typed. */
function person({ people, value = "", ...field }) {
  if (people.length === 0) return written({ ...field, value, wide: true });
  return chosen({ ...field, value: value || null, options: people.map((name) => [name, name]) });
}

const KINDS = { written, chosen, person };

/**
 * A form of these fields (`kind` is `written`, `chosen` or `person`). `submit(values)` is called when
 * all fit, by the button `action` (a node of type submit) or the enter key.
 */
export function form(fields, action, submit) {
  const made = fields.map(({ kind = "written", ...field }) => KINDS[kind](field));
  const node = element("form", { id: "panel-form", noValidate: true, autocomplete: "off" }, ...made.map((field) => field.node));
  const inputs = made.flatMap((field) => field.inputs);
  if (inputs.length > 0) node.append(keyboard(inputs));
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    const missing = made.filter((field) => !field.check());
    if (missing.length > 0) {
      missing[0].focus();
      return;
    }
    action.disabled = true;
    try {
      const filled = made.map((field) => [field.name, field.value()]).filter(([, value]) => value !== undefined);
      await submit(Object.fromEntries(filled));
    } finally {
      action.disabled = false;
    }
  });
  return node;
}
