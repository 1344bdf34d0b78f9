// Every number and every alarm text whose contrast with its ground (WCAG 2) is below `least`, at the bright
// and at the dark half of a flash; `[]` when there is none.
((least) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = ([r, g, b, a], ground) => [r, g, b].map((part, place) => (part * a) / 255 + ground[place] * (1 - a / 255));
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const lineage = (node) => (node ? [...lineage(node.parentElement), node] : []);
  const ratio = (node) => {
    let ground = [0, 0, 0];
    let opacity = 1;
    for (const above of lineage(node)) {
      const style = getComputedStyle(above);
      ground = over(rgba(style.backgroundColor), ground);
      opacity *= Number(style.opacity);
    }
    const ink = rgba(getComputedStyle(node).color);
    ink[3] *= opacity;
    const [a, b] = [light(over(ink, ground)), light(ground)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const told = [
    ".number", ".limits", ".why", ".when", ".next", ".base", ".clock .value", "#now", "#bed",
    "#alarm-line .prefix", "#alarm-line .text", "#alarm-line .detail", "#alarm-line button",
    "#alarm-list .prefix", "#alarm-list .text", "#alarm-list .detail", "#alarm-list button",
    "#task .value", "#banners > div", ".sheet td", ".sheet th", "#controls button",
  ];
  const faults = new Set();
  for (const share of [0.1, 0.6]) {
    for (const animation of document.getAnimations()) {
      animation.pause();
      animation.currentTime = share * animation.effect.getTiming().duration;
    }
    for (const node of document.querySelectorAll(told.join())) {
      if (!node.checkVisibility() || node.textContent === "" || node.disabled) continue;
      // Dimmed for the moment in which they cannot be pressed.
      if (node.matches("button") && document.body.dataset.settled === "false") continue;
      const found = ratio(node);
      if (!(found >= least)) faults.add(`${node.id || node.className} ${node.textContent}: ${found.toFixed(1)}`);
    }
  }
  for (const animation of document.getAnimations()) animation.play();
  return [...faults];
})
