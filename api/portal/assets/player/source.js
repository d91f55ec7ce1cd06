/**
 * Feeds a video element from an HLS address: through hls.js wherever Media Source Extensions exist, since
 * native players refuse growing playlists; natively only where they are missing (older iPhones).
 */
import { recall, remember } from '../memory.js';
import { freeze } from './frozen.js';

const MODULE = '/vendor/hls.js/dist/hls.min.mjs';
const NETWORK_PATIENCE = 4; // times in a row that loading is started again before giving up
const MOMENT = 60_000; // milliseconds to wait for a moment at which a change of playlists disturbs nobody

/** In place of a height: the picture is not loaded at all. */
export const SOUND = 0;

/**
 * @typedef {{onLevels: () => void, onLevel: () => void, onDenied: () => void, onOffline: (gone: boolean) => void,
 *   onFailed: (kind: 'failed' | 'unsupported') => void}} Listeners
 *   `onDenied`: the addresses are no longer honoured (401, 403, 404, 410): ask the API for new ones.
 * @typedef {{index: number, height: number}} Level
 */

export class Source {
  /** @param {HTMLVideoElement} video @param {Listeners} listeners */
  constructor(video, listeners) {
    this.video = video;
    this.listeners = listeners;
    /** @type {any} */
    this.hls = null;
    this.url = '';
    this.failures = 0;
    this.wanted = Number(recall('academy.quality') ?? -1); // height that the viewer chose, or SOUND; -1 lets the player choose
    this.sound = ''; // address of the sound's own playlist, where there is one beside pictures
    this.opened = ''; // what is played now: `url`, or `sound`
    /** @type {{url: string, heights: number[]} | null} */
    this.better = null;
    /** @type {Level[]} */
    this.known = [];
    this.moment = 0;
    addEventListener('online', () => this.hls?.startLoad());
    for (const name of ['pause', 'seeking', 'waiting']) video.addEventListener(name, () => this.#take());
  }

  /** @param {string} url @param {number} start seconds */
  async load(url, start) {
    this.url = url;
    this.better = null;
    await this.#open(url, start);
  }

  /** The same moment and state from another address, behind the last picture. @param {string} address */
  async #reopen(address) {
    const { video } = this;
    const playing = !video.paused;
    if (address !== this.sound) freeze(video);
    if (playing) video.addEventListener('canplay', () => void video.play().catch(() => {}), { once: true });
    await this.#open(address, video.currentTime);
  }

  /** The same moment and state from a new address of the lecture. @param {string} url */
  renew(url) {
    this.url = url;
    this.better = null;
    return this.#reopen(url);
  }

  /**
   * A final playlist of what is played now. One that has more rungs is taken as soon as that disturbs nobody:
   * while it is paused, at a seek, when it waits for data, when the viewer asks for a rung, or else after a while.
   * @param {string} url @param {number[]} heights of its rungs
   */
  offer(url, heights) {
    const here = this.levels.map((one) => one.height);
    if (url === this.url || !this.opened || heights.every((height) => here.includes(height))) return;
    clearTimeout(this.moment);
    this.better = { url, heights };
    this.listeners.onLevels();
    if (this.video.paused || this.video.readyState < 3) this.#take();
    else this.moment = setTimeout(() => this.#take(), MOMENT);
  }

  #take() {
    if (!this.better || this.video.ended || this.listening) return;
    clearTimeout(this.moment);
    this.renew(this.better.url);
  }

  /** Whether the viewer asked for sound without the picture, and it is there. */
  get listening() {
    return this.sound !== '' && this.opened === this.sound;
  }

  /** @param {string} url @param {number} start seconds */
  async #open(url, start) {
    this.opened = url;
    const video = this.video;
    if (!('MediaSource' in window || 'ManagedMediaSource' in window)) {
      this.#native(url, start);
      return;
    }
    const { default: Hls } = await import(MODULE);
    if (this.opened !== url) return; // another load came in between
    if (!Hls.isSupported()) {
      this.listeners.onFailed('unsupported');
      return;
    }
    this.hls?.destroy();
    const hls = new Hls({
      // Segments are fragmented MP4 and need no conversion: a worker would cost 40 kB and a looser policy.
      enableWorker: false,
      // Captions are <track> elements of the page (captions.js): twice would be once too many.
      subtitleStreamController: undefined,
      subtitleTrackController: undefined,
      timelineController: undefined,
      startPosition: start,
      // A growing lecture is watched from its start, not at its live edge.
      liveDurationInfinity: false,
      capLevelToPlayerSize: true,
      maxBufferLength: 40,
      backBufferLength: 60,
      abrEwmaDefaultEstimate: 700_000,
    });
    this.hls = hls;
    hls.on(Hls.Events.MANIFEST_PARSED, (/** @type {string} */ _name, /** @type {any} */ data) => {
      if (!this.listening) {
        // hls.js leaves out variants without a picture where others have one: sound has a playlist of its own.
        this.sound = data.audioTracks?.[0]?.url ?? '';
        this.known = rungs(data.levels);
        if (this.wanted === SOUND && this.offersSound) {
          this.#open(this.sound, start);
          return;
        }
      }
      this.#choose();
      this.listeners.onLevels();
    });
    hls.on(Hls.Events.LEVEL_SWITCHED, () => this.listeners.onLevel());
    hls.on(Hls.Events.FRAG_BUFFERED, () => {
      this.failures = 0;
      this.listeners.onOffline(false);
    });
    hls.on(Hls.Events.ERROR, (/** @type {string} */ _name, /** @type {any} */ data) => this.#failed(Hls, data));
    hls.loadSource(url);
    hls.attachMedia(video);
  }

  /** @param {string} url @param {number} start */
  #native(url, start) {
    const video = this.video;
    if (!video.canPlayType('application/vnd.apple.mpegurl')) {
      this.listeners.onFailed('unsupported');
      return;
    }
    video.src = url;
    video.addEventListener('loadedmetadata', () => void (video.currentTime = start), { once: true });
    video.addEventListener('error', () => this.listeners.onDenied(), { once: true });
    this.listeners.onLevels();
  }

  /** @param {any} Hls @param {any} data */
  #failed(Hls, data) {
    const status = data.response?.code ?? 0;
    if ([401, 403, 404, 410].includes(status)) {
      this.listeners.onDenied();
      return;
    }
    if (!data.fatal) return;
    this.failures += 1;
    if (this.failures > NETWORK_PATIENCE) {
      this.listeners.onFailed('failed');
    } else if (data.type === Hls.ErrorTypes.NETWORK_ERROR) {
      this.listeners.onOffline(true);
      const hls = this.hls;
      // Fatal network errors come after hls.js has used up its own retries.
      setTimeout(() => {
        if (hls !== this.hls) return;
        if (hls.levels?.length) hls.startLoad();
        else hls.loadSource(this.opened);
      }, 1500 * 2 ** this.failures);
    } else if (data.type === Hls.ErrorTypes.MEDIA_ERROR) {
      this.hls.recoverMediaError();
    } else {
      this.listeners.onFailed('failed');
    }
  }

  /** Video rungs, best first: those of the playlist in use, and of the one to be taken. @returns {Level[]} */
  get levels() {
    const more = (this.better?.heights ?? []).filter((height) => !this.known.some((one) => one.height === height));
    return [...this.known, ...more.map((height) => ({ index: -1, height }))].sort((a, b) => b.height - a.height);
  }

  /** Whether sound can be had without the picture. */
  get offersSound() {
    return this.sound !== '' && this.known.length > 0;
  }

  /** What is in force of the viewer's wishes: a height, SOUND, or -1. */
  get chosen() {
    const there = this.wanted === SOUND ? this.offersSound : this.levels.some((one) => one.height === this.wanted);
    return there ? this.wanted : -1;
  }

  /** The short side of what is shown now, in pixels; 0 when unknown. */
  get height() {
    const level = this.listening ? null : this.hls?.levels?.[this.hls.currentLevel];
    return level ? Math.min(level.height, level.width) : 0;
  }

  /** @param {number} height of a rung; SOUND for no picture; -1 for automatic. This browser remembers it. */
  prefer(height) {
    this.wanted = height;
    remember('academy.quality', height < 0 ? null : height);
    if (height === SOUND) {
      if (this.offersSound && !this.listening) this.#reopen(this.sound);
    } else if (this.better && (this.listening || !this.known.some((one) => one.height === height))) this.renew(this.better.url);
    else if (this.listening) this.#reopen(this.url);
    else this.#choose();
  }

  #choose() {
    if (!this.hls || this.listening) return;
    const level = this.known.find((one) => one.height === this.wanted);
    // nextLevel switches at the next segment that is not yet buffered: no interruption.
    this.hls.nextLevel = level ? level.index : -1;
  }

  destroy() {
    this.hls?.destroy();
    this.hls = null;
    this.url = this.opened = '';
    this.better = null;
    this.sound = '';
    this.known = [];
    clearTimeout(this.moment);
    this.video.removeAttribute('src');
    this.video.load();
  }
}

/** Video rungs of hls.js's levels. @param {any[]} levels @returns {Level[]} */
const rungs = (levels) =>
  levels
    .map((level, index) => ({ index, height: Math.min(level.height, level.width) }))
    .filter(({ height }) => height > 0)
    .sort((a, b) => b.height - a.height);
