/** The seek bar: a range input with what is buffered, what is available yet, and a preview under the pointer. */
import { fill, h } from '../dom.js';
import { clock, spell } from '../format.js';
import { t } from '../i18n.js';
import { showTile, tileAt } from './storyboard.js';

const PREVIEW = 176; // CSS pixels

export class SeekBar {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    /** @type {import('./storyboard.js').Tile[]} */
    this.tiles = [];
    /** @type {import('../types.js').Chapter[]} */
    this.chapters = [];
    this.total = 0; // seconds, of the finished lecture
    this.available = 0; // seconds that can be played now
    this.dragging = false;
    this.input = h('input', { type: 'range', min: 0, max: 0, step: 'any', value: 0, label: 'player.seek', class: 'seek-input' });
    this.tile = h('div', { class: 'tile' }, h('div'));
    this.time = h('span', { class: 'tile-time numbers' });
    this.chapter = h('span', { class: 'tile-chapter', hidden: true });
    this.marks = h('span', { class: 'seek-marks', 'aria-hidden': 'true' });
    this.preview = h('div', { class: 'preview', hidden: true, 'aria-hidden': 'true' }, this.tile, this.chapter, this.time);
    this.element = h('div', { class: 'seek' },
      h('div', { class: 'seek-track' }, h('span', { class: 'seek-available' }), h('span', { class: 'seek-buffered' }), h('span', { class: 'seek-played' }), this.marks),
      this.input, this.preview);

    this.input.addEventListener('input', () => {
      this.dragging = true;
      this.seek(Number(this.input.value));
    });
    this.input.addEventListener('change', () => void (this.dragging = false));
    this.input.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => this.#key(event));
    this.element.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => this.#show(event));
    this.element.addEventListener('pointerleave', () => void (this.preview.hidden = true));
    for (const name of ['timeupdate', 'progress', 'seeking', 'durationchange']) video.addEventListener(name, () => this.update());
  }

  /** @param {number} total @param {number} available seconds */
  extent(total, available) {
    this.total = total;
    this.available = available;
    this.update();
  }

  /** Shows where chapters begin. @param {import('../types.js').Chapter[]} chapters */
  mark(chapters) {
    this.chapters = chapters;
    fill(this.marks, chapters.slice(1).map((one) => {
      const mark = h('i');
      mark.style.setProperty('left', `${(100 * one.start) / Math.max(1e-6, this.span)}%`);
      return mark;
    }));
  }

  /** The farthest position that can be played, in seconds. */
  get end() {
    const { duration } = this.video;
    return Number.isFinite(duration) && duration > 0 ? Math.max(duration, this.available) : this.available;
  }

  get span() {
    return Math.max(this.total, this.end);
  }

  /** @param {number} time seconds; what is not there yet cannot be reached */
  seek(time) {
    this.video.currentTime = Math.min(Math.max(0, time), Math.max(0, this.end - 0.1));
    this.update();
  }

  /** Range inputs with step "any" move by a hundredth of the lecture: too far. @param {KeyboardEvent} event */
  #key(event) {
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -60, PageUp: 60, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.seek(this.video.currentTime + step);
  }

  /** @param {PointerEvent} event */
  #show(event) {
    const box = this.element.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const time = Math.min(share * this.span, this.end);
    const tile = tileAt(this.tiles, time);
    this.tile.hidden = !tile;
    const width = Math.min(PREVIEW, box.width / 2);
    if (tile) showTile(this.tile, tile, width);
    this.time.textContent = clock(time);
    const chapter = this.chapters.findLast((one) => one.start <= time);
    this.chapter.hidden = !chapter;
    this.chapter.textContent = chapter?.title ?? '';
    this.preview.hidden = this.span <= 0;
    const half = (tile ? width : 60) / 2;
    this.preview.style.setProperty('left', `${Math.min(box.width - half, Math.max(half, share * box.width))}px`);
  }

  update() {
    const { video, span, end } = this;
    const now = video.currentTime;
    this.input.max = String(span);
    if (!this.dragging || Number(this.input.value) > end) this.input.value = String(now);
    this.input.setAttribute('aria-valuetext', t('player.position', { now: now < 1 ? clock(0) : spell(now), total: spell(span) }));
    let buffered = 0;
    for (let index = 0; index < video.buffered.length; index += 1) {
      if (video.buffered.start(index) <= now + 0.5) buffered = Math.max(buffered, video.buffered.end(index));
    }
    const share = (/** @type {number} */ time) => String(span > 0 ? Math.min(1, time / span) : 0);
    this.element.style.setProperty('--played', share(now));
    this.element.style.setProperty('--buffered', share(buffered));
    this.element.style.setProperty('--available', share(end));
  }
}
