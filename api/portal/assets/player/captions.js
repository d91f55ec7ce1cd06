/** Captions as text tracks of the video, and the choice that this browser remembers. */
import { h } from '../dom.js';
import { recall, remember } from '../memory.js';

const KEY = 'academy.captions';

export class Captions {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    /** @type {import('../types.js').Caption[]} */
    this.list = [];
  }

  /** Replaces the tracks where they changed. @param {import('../types.js').Caption[]} list */
  show(list) {
    if (JSON.stringify(list) === JSON.stringify(this.list)) return;
    this.list = list;
    for (const track of this.video.querySelectorAll('track')) track.remove();
    for (const caption of list) {
      this.video.append(h('track', { kind: caption.kind === 'subtitles' ? 'subtitles' : 'captions', srclang: caption.language, label: caption.label, src: caption.url }));
    }
    this.choose(recall(KEY) ?? '');
  }

  /** The language that is shown; '' for none. @returns {string} */
  get current() {
    const track = [...this.video.querySelectorAll('track')].find((one) => one.track.mode === 'showing');
    return track?.srclang ?? '';
  }

  /** @param {string} language '' for none */
  choose(language) {
    for (const element of this.video.querySelectorAll('track')) {
      element.track.mode = element.srclang === language ? 'showing' : 'disabled';
    }
  }

  /** As `choose`, by the viewer: remembered. @param {string} language */
  prefer(language) {
    remember(KEY, language || null);
    this.choose(language);
  }

  toggle() {
    const first = this.list[0]?.language ?? '';
    this.prefer(this.current ? '' : (recall(KEY) ?? first));
  }
}
