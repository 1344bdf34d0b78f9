// What one types with on a touch screen: letters for texts, a pad for numbers. It comes with the field
// that is being filled, and every key is at least 12 mm wide and high.

import { button, element, mark } from "./element.js";
import { decimalPoint, keyed, labelled, language, number } from "./words.js";

/** Three rows of at most ten letters; the second sheet holds digits, accents and signs. */
const LETTERS = {
  en: ["qwertyuiop", "asdfghjkl'", "zxcvbnm-"],
  es: ["qwertyuiop", "asdfghjklñ", "zxcvbnm-"],
};
const SIGNS = ["1234567890", "áéíóúüñ¿?¡", "()/+%:;="];
const PAD = ["789", "456", "123"];

/** Types into the focused one of `inputs`, or into the first. */
export function keyboard(inputs) {
  let target = inputs[0];
  let isCapital = true;
  let hasSigns = false;
  const keys = [];

  function type(text) {
    const { selectionStart: start, selectionEnd: end } = target;
    if (target.value.length - (end - start) + text.length > target.maxLength) return;
    target.setRangeText(text, start, end, "end");
    changed();
    setCapital(text === " ");
  }

  function erase() {
    const { selectionStart: start, selectionEnd: end } = target;
    target.setRangeText("", start === end ? Math.max(0, start - 1) : start, end, "end");
    changed();
  }

  const changed = () => target.dispatchEvent(new Event("input", { bubbles: true }));

  // A press must not take the focus out of the field.
  function key(text, press, properties = {}) {
    const node = element("button", { type: "button", textContent: text, tabIndex: -1, ...properties });
    node.addEventListener("pointerdown", (event) => event.preventDefault());
    node.addEventListener("click", () => {
      press();
      target.focus();
    });
    return node;
  }

  const letter = (value) => {
    const node = key(value, () => type(isCapital ? value.toUpperCase() : value), { value });
    keys.push(node);
    return node;
  };

  function setCapital(on) {
    isCapital = on;
    for (const node of keys) node.textContent = on ? node.value.toUpperCase() : node.value;
  }

  const row = (className, ...nodes) => element("div", { className }, ...nodes);
  const done = () => button("", () => target.blur(), keyed("key.done", { className: "done", tabIndex: -1 }));
  const back = () => key("⌫", erase, labelled("key.delete", { className: "delete" }));

  const letters = element("div", { className: "letters" });
  function lay() {
    keys.length = 0;
    const rows = (hasSigns ? SIGNS : (LETTERS[language()] ?? LETTERS.en)).map((text) => [...text].map(letter));
    rows[2].unshift(key("⇧", () => setCapital(!isCapital), labelled("key.capitals", { className: "shift" })));
    rows[2].push(back());
    letters.replaceChildren(
      ...rows.map((nodes) => row("", ...nodes)),
      row(
        "",
        key("", turn, keyed(hasSigns ? "key.letters" : "key.signs", { className: "signs" })),
        key(",", () => type(","), { value: "," }),
        key("", () => type(" "), keyed("key.space", { className: "space" })),
        key(".", () => type("."), { value: "." }),
        done(),
      ),
    );
    setCapital(isCapital);
  }
  function turn() {
    hasSigns = !hasSigns;
    lay();
  }
  lay();

  const pad = element("div", { className: "pad" });
  const wishes = element("div", { className: "wishes" });
  const digit = (text) => key(text, () => type(text), { value: text });
  pad.append(
    element(
      "div",
      { className: "digits" },
      ...PAD.flatMap((text) => [...text].map(digit)),
      digit(decimalPoint()),
      digit("0"),
      back(),
    ),
    element("div", { className: "beside" }, wishes, done()),
  );

  const board = element("div", { className: "keyboard" }, letters, pad);
  function aim(input) {
    target = input;
    mark(board, "kind", input.dataset.kind);
    const usual = input.usual ?? [];
    wishes.replaceChildren(
      ...usual.map((value) =>
        key(number(value), () => {
          target.value = number(value);
          changed();
        }),
      ),
    );
    setCapital(input.value === "");
  }
  for (const input of inputs) input.addEventListener("focus", () => aim(input));
  aim(target);
  return board;
}
