/** Thumbnails along the seek bar: WebVTT cues whose text is a sprite's address with `#xywh=`. */

/** @typedef {{start: number, end: number, url: string, x: number, y: number, width: number, height: number}} Tile */

/** @param {string} time `01:02:03.400` or `02:03.400` */
const seconds = (time) => time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);

/**
 * @param {string} text WebVTT
 * @param {string} base address the text was asked from: sprites are relative to it
 * @returns {Tile[]}
 */
export function parseStoryboard(text, base) {
  const tiles = [];
  for (const block of text.split(/\r?\n\r?\n/)) {
    const lines = block.split(/\r?\n/);
    const timing = lines.findIndex((line) => line.includes('-->'));
    const match = lines[timing + 1]?.match(/^(.*)#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)/);
    if (timing < 0 || !match) continue;
    const [start, end] = lines[timing].split('-->').map((time) => seconds(time.trim().split(/\s/)[0]));
    const [x, y, width, height] = match.slice(2).map(Number);
    tiles.push({ start, end, url: new URL(match[1], base).href, x, y, width, height });
  }
  return tiles;
}

/** None when it cannot be had: a preview is an extra. @param {string | null} url @returns {Promise<Tile[]>} */
export async function loadStoryboard(url) {
  if (!url) return [];
  try {
    const absolute = new URL(url, location.href).href;
    const answer = await fetch(absolute);
    return answer.ok ? parseStoryboard(await answer.text(), absolute) : [];
  } catch {
    return [];
  }
}

/** The tile of a moment, or the last one before it. @param {Tile[]} tiles @param {number} time seconds */
export const tileAt = (tiles, time) => tiles.findLast((tile) => tile.start <= time);

/** Shows a tile in `element`, scaled to `width` CSS pixels. @param {HTMLElement} element @param {Tile} tile @param {number} width */
export function showTile(element, tile, width) {
  const scale = width / tile.width;
  element.style.setProperty('width', `${width}px`);
  element.style.setProperty('height', `${tile.height * scale}px`);
  const inner = /** @type {HTMLElement} */ (element.firstElementChild);
  inner.style.setProperty('width', `${tile.width}px`);
  inner.style.setProperty('height', `${tile.height}px`);
  inner.style.setProperty('background-image', `url("${tile.url}")`);
  inner.style.setProperty('background-position', `-${tile.x}px -${tile.y}px`);
  inner.style.setProperty('transform', `scale(${scale})`);
}
