// Lists everything that is wrong with the open dialog: lies over a number or an alarm, scrolls, is cut
// off, or is too small to touch (12 mm at 96 dpi are 46 px).
(() => {
  const faults = [];
  const panel = document.querySelector("#panel");
  if (panel.hidden) return ["no dialog is open"];
  const page = document.scrollingElement;
  if (page.scrollWidth > innerWidth || page.scrollHeight > innerHeight) faults.push("the page scrolls");
  if (panel.scrollHeight > panel.clientHeight + 1) faults.push(`scrolls: ${panel.scrollHeight} > ${panel.clientHeight}`);
  const frame = panel.getBoundingClientRect();
  for (const node of document.querySelectorAll("#alarm-line, #banners, #strip, .tile, #alarm-controls, #health")) {
    const box = node.getBoundingClientRect();
    if (!node.checkVisibility() || box.width === 0) continue;
    const wide = Math.min(frame.right, box.right) - Math.max(frame.left, box.left);
    const high = Math.min(frame.bottom, box.bottom) - Math.max(frame.top, box.top);
    if (wide > 1 && high > 1) faults.push(`lies over ${node.id || node.className}`);
  }
  for (const node of document.querySelectorAll(".tile .number")) {
    const box = node.closest(".tile").getBoundingClientRect();
    const own = node.getBoundingClientRect();
    if (own.right > box.right + 1 || own.left < box.left - 1 || own.height < 24) faults.push(`number ${node.textContent} is squeezed`);
  }
  const typing = panel.querySelector("form:has(input:focus)");
  for (const node of panel.querySelectorAll("button, input, h2, p, b, i, span")) {
    const isAside = typing?.contains(node) && !node.closest(".keyboard, .field:focus-within");
    const box = node.getBoundingClientRect();
    if (isAside || !node.checkVisibility() || box.width === 0 || getComputedStyle(node).opacity === "0") continue;
    const name = `${node.tagName} ${node.textContent.slice(0, 40)}`;
    if (box.right > frame.right + 1 || box.bottom > frame.bottom + 1 || box.left < frame.left - 1) faults.push(`${name} leaves the dialog`);
    if (node.matches("button, input") && (box.width < 48 || box.height < 48)) faults.push(`${name} is too small: ${Math.round(box.width)}×${Math.round(box.height)}`);
    if (node.matches("button") && (node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1)) faults.push(`${name} is cut`);
  }
  return faults;
})()
