/**
 * A landscape drawn from a course's slug, for courses without a poster: the same slug always gives the
 * same mountains. Pure geometry, a kilobyte of SVG, no download.
 */

const NS = 'http://www.w3.org/2000/svg';
const WIDTH = 320;
const HEIGHT = 180;

/** Sky above, sky at the horizon, sun, farthest and nearest ridge. */
const palettes = [
  ['#f7dcc6', '#f3bd9f', '#d9532f', '#d29580', '#4a2733'],
  ['#e6f0e8', '#bddacd', '#f8f2d4', '#8bb8a8', '#163a3a'],
  ['#dde3f3', '#aebde2', '#fdf4df', '#7d90cb', '#1c2552'],
  ['#2f2d57', '#b3687c', '#ffd49a', '#7a4f80', '#19152f'],
  ['#f6ead0', '#e5ca9b', '#c0422a', '#bd9a66', '#4a3520'],
  ['#dbe4e8', '#a5b9c4', '#f6e6cf', '#74909e', '#1b2c38'],
  ['#10243f', '#3f7f8f', '#f2e7c4', '#37697c', '#0b1a2b'],
  ['#fbe5e1', '#e9b3b6', '#fff6e4', '#b9788c', '#3d1f3a'],
];

/** FNV-1a. @param {string} text */
function hash(text) {
  let value = 0x811c9dc5;
  for (const char of text) value = Math.imul(value ^ /** @type {number} */ (char.codePointAt(0)), 0x01000193);
  return value >>> 0;
}

/** Mulberry32: the same seed, the same numbers in [0, 1). @param {number} seed */
function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let value = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

/** @param {string} from @param {string} to @param {number} share */
function mix(from, to, share) {
  const channel = (/** @type {number} */ at) => {
    const a = parseInt(from.slice(at, at + 2), 16);
    const b = parseInt(to.slice(at, at + 2), 16);
    return Math.round(a + (b - a) * share).toString(16).padStart(2, '0');
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}

/**
 * A ridge line as path data, closed at the bottom.
 * @param {() => number} random @param {number} base height of the line @param {number} rise amplitude
 * @param {number} width @param {number} height
 */
function ridge(random, base, rise, width, height) {
  const waves = [1, 2.3, 4.7, 9.1].map((frequency, index) => ({
    frequency: frequency * (0.8 + random() * 0.5),
    phase: random() * Math.PI * 2,
    size: rise / (index + 1) ** 1.25,
  }));
  const points = [];
  for (let x = 0; x <= width; x += 4) {
    const lift = waves.reduce((sum, w) => sum + Math.sin((x / width) * Math.PI * w.frequency + w.phase) * w.size, 0);
    points.push(`${x} ${(base - lift).toFixed(1)}`);
  }
  return `M0 ${height}L${points.join('L')}L${width} ${height}z`;
}

/** @param {string} name @param {Record<string, string | number>} attributes */
function shape(name, attributes) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** @param {string} slug @returns {SVGElement} decorative: hidden from assistive technology */
export function cover(slug) {
  const seed = hash(slug);
  const random = numbers(seed);
  const [high, low, sun, far, near] = palettes[(seed >>> 9) % palettes.length];
  const svg = /** @type {SVGElement} */ (
    shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'xMidYMid slice', 'aria-hidden': 'true', class: 'cover' })
  );
  const sky = shape('linearGradient', { id: `sky-${seed}`, x1: 0, y1: 0, x2: 0, y2: 1 });
  sky.append(shape('stop', { offset: 0, 'stop-color': high }), shape('stop', { offset: 0.75, 'stop-color': low }));
  const definitions = shape('defs', {});
  definitions.append(sky);
  svg.append(
    definitions,
    shape('rect', { width: WIDTH, height: HEIGHT, fill: `url(#sky-${seed})` }),
    shape('circle', { cx: 60 + random() * 200, cy: 42 + random() * 40, r: 17 + random() * 14, fill: sun, opacity: 0.92 }),
  );
  const layers = 5;
  for (let index = 0; index < layers; index += 1) {
    const share = index / (layers - 1);
    const d = ridge(random, 88 + share * 66, 20 - share * 7, WIDTH, HEIGHT);
    svg.append(shape('path', { d, fill: mix(far, near, share), opacity: 0.72 + share * 0.28 }));
  }
  return svg;
}

/** The wide drawing behind the catalogue's first words; its colours come from the style sheet. */
export function panorama() {
  const svg = /** @type {SVGElement} */ (shape('svg', { viewBox: '0 0 1200 320', preserveAspectRatio: 'xMaxYMax slice', 'aria-hidden': 'true', class: 'panorama' }));
  svg.append(shape('circle', { cx: 1070, cy: 124, r: 42, class: 'sun' }));
  const random = numbers(20260418);
  for (let index = 0; index < 5; index += 1) {
    svg.append(shape('path', { d: ridge(random, 178 + index * 30, 46 - index * 6, 1200, 320), class: `ridge ridge-${index}` }));
  }
  return svg;
}
