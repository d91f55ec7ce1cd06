/** Line icons on a 24-unit grid, drawn for this portal. */

const NS = 'http://www.w3.org/2000/svg';

/** Path data per icon; a leading `!` fills the path. @type {Record<string, string[]>} */
const shapes = {
  play: ['!M8 5.2v13.6L19 12z'],
  pause: ['!M7 5h3.6v14H7zM13.4 5H17v14h-3.6z'],
  back: ['M4 12a8 8 0 1 0 2.6-5.9', 'M4 4v4.6h4.6'],
  forward: ['M20 12a8 8 0 1 1-2.6-5.9', 'M20 4v4.6h-4.6'],
  volume: ['!M4 9.5v5h3.2l4.3 3.8V5.7L7.2 9.5z', 'M15 9.2a4 4 0 0 1 0 5.6', 'M17.8 6.6a7.8 7.8 0 0 1 0 10.8'],
  muted: ['!M4 9.5v5h3.2l4.3 3.8V5.7L7.2 9.5z', 'M15.5 9.5l5 5', 'M20.5 9.5l-5 5'],
  captions: ['M3.5 6.5a2 2 0 0 1 2-2h13a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2z', 'M10.4 10.4a2 2 0 1 0 0 3.2', 'M16.9 10.4a2 2 0 1 0 0 3.2'],
  enlarge: ['M4 9V4h5', 'M20 9V4h-5', 'M4 15v5h5', 'M20 15v5h-5'],
  shrink: ['M9 4v5H4', 'M15 4v5h5', 'M9 20v-5H4', 'M15 20v-5h5'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  alert: ['M12 8v5', 'M12 16.4v.1', 'M10.3 4.4 2.9 17.2a2 2 0 0 0 1.7 3h14.8a2 2 0 0 0 1.7-3L13.7 4.4a2 2 0 0 0-3.4 0z'],
  info: ['M12 11v5.5', 'M12 7.6v.1', 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z'],
  clock: ['M12 7.5V12l3 2', 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z'],
  film: ['M4 6.5a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2z', 'M8.5 4.5v15', 'M15.5 4.5v15', 'M4 9.5h4.5M4 14.5h4.5M15.5 9.5H20M15.5 14.5H20'],
  search: ['M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14z', 'M16.2 16.2 20.5 20.5'],
  book: ['M12 6.5C10 5 7 4.6 4 5v13c3-.4 6 0 8 1.5 2-1.5 5-1.9 8-1.5V5c-3-.4-6 0-8 1.5z', 'M12 6.5v13'],
  upload: ['M12 16V4.5', 'M7.5 8.5 12 4l4.5 4.5', 'M4.5 15.5v2a2.5 2.5 0 0 0 2.5 2.5h10a2.5 2.5 0 0 0 2.5-2.5v-2'],
  plus: ['M12 5v14', 'M5 12h14'],
  arrow: ['M5 12h14', 'M13 6l6 6-6 6'],
  left: ['M19 12H5', 'M11 6l-6 6 6 6'],
  sun: ['M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9z', 'M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4'],
  moon: ['M20 14.2A8.2 8.2 0 0 1 9.8 4a8.2 8.2 0 1 0 10.2 10.2z'],
  system: ['M12 3a9 9 0 1 0 0 18z', 'M12 21a9 9 0 0 0 0-18'],
  keyboard: ['M3 8.5a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z', 'M7 10.2v.1M10.3 10.2v.1M13.7 10.2v.1M17 10.2v.1M8.5 14h7'],
};

/** @param {string} name @returns {SVGSVGElement} */
export function icon(name) {
  const svg = /** @type {SVGSVGElement} */ (document.createElementNS(NS, 'svg'));
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  svg.dataset.icon = name;
  for (const shape of shapes[name] ?? []) {
    const path = document.createElementNS(NS, 'path');
    path.setAttribute('d', shape.replace('!', ''));
    if (shape.startsWith('!')) path.setAttribute('fill', 'currentColor');
    svg.append(path);
  }
  return svg;
}
