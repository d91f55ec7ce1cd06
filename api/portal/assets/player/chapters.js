/** The parts of a lecture: a strip of slides below the player, and where each begins on the seek bar. */
import { fill, h } from '../dom.js';
import { clock } from '../format.js';

/** @typedef {import('../types.js').Chapter} Chapter */

/** The one that is shown at a moment. @param {Chapter[]} chapters @param {number} time seconds */
export const chapterAt = (chapters, time) => chapters.findLast((one) => one.start <= time + 0.01);

export class Chapters {
  /** @param {import('./player.js').Player} player */
  constructor(player) {
    this.player = player;
    /** @type {Chapter[]} */
    this.chapters = [];
    this.known = '';
    this.list = h('ol', { class: 'chapters' });
    this.element = h('section', { class: 'chapter-strip', hidden: true, label: 'player.chapters' }, this.list);
    player.video.addEventListener('timeupdate', () => this.#mark());
    player.video.addEventListener('seeking', () => this.#mark());
  }

  /** @param {Chapter[]} chapters */
  show(chapters) {
    const known = JSON.stringify(chapters.map((one) => [one.start, one.title]));
    if (known === this.known) return;
    this.known = known;
    this.chapters = chapters;
    this.element.hidden = !chapters.length;
    this.player.seekbar.mark(chapters);
    fill(this.list, chapters.map((one) => h('li', {},
      h('button', { type: 'button', class: 'chapter', onclick: () => this.player.seekbar.seek(one.start) },
        one.thumbnail ? h('img', { src: one.thumbnail, alt: '', loading: 'lazy', width: 160, height: 90 }) : null,
        h('span', { class: 'chapter-title' }, one.title),
        h('span', { class: 'chapter-time numbers' }, clock(one.start))))));
    this.#mark();
  }

  #mark() {
    const now = this.chapters.indexOf(/** @type {Chapter} */ (chapterAt(this.chapters, this.player.video.currentTime)));
    [...this.list.children].forEach((item, index) => {
      const button = /** @type {HTMLElement} */ (item.firstElementChild);
      if (button.hasAttribute('aria-current') === (index === now)) return;
      button.toggleAttribute('aria-current', index === now);
      if (index !== now) return;
      button.setAttribute('aria-current', 'true');
      // Only the strip moves: the page stays where the viewer put it.
      this.list.scrollTo({ left: button.offsetLeft - this.list.offsetLeft - this.list.clientWidth / 3, behavior: 'smooth' });
    });
  }
}
