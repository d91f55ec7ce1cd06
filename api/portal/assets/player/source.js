/**
 * Feeds a video element from an HLS address: through hls.js wherever Media Source Extensions exist, since
 * native players refuse growing playlists; natively only where they are missing (older iPhones).
 */

const MODULE = '/vendor/hls.js/dist/hls.min.mjs';
const NETWORK_PATIENCE = 4; // times in a row that loading is started again before giving up

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
    this.wanted = -1; // height that the viewer chose; -1 lets the player choose
    addEventListener('online', () => this.hls?.startLoad());
  }

  /** @param {string} url @param {number} start seconds */
  async load(url, start) {
    this.url = url;
    const video = this.video;
    if (!('MediaSource' in window || 'ManagedMediaSource' in window)) {
      this.#native(url, start);
      return;
    }
    const { default: Hls } = await import(MODULE);
    if (this.url !== url) return; // another load came in between
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
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
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
        else hls.loadSource(this.url);
      }, 1500 * 2 ** this.failures);
    } else if (data.type === Hls.ErrorTypes.MEDIA_ERROR) {
      this.hls.recoverMediaError();
    } else {
      this.listeners.onFailed('failed');
    }
  }

  /** Video rungs, best first. @returns {Level[]} */
  get levels() {
    const levels = this.hls?.levels ?? [];
    return levels
      .map((/** @type {any} */ level, /** @type {number} */ index) => ({ index, height: Math.min(level.height, level.width) }))
      .filter((/** @type {Level} */ level) => level.height > 0)
      .sort((/** @type {Level} */ a, /** @type {Level} */ b) => b.height - a.height);
  }

  /** The short side of what is shown now, in pixels; 0 when unknown. */
  get height() {
    const level = this.hls?.levels?.[this.hls.currentLevel];
    return level ? Math.min(level.height, level.width) : 0;
  }

  /** @param {number} height of a rung; -1 for automatic */
  prefer(height) {
    this.wanted = height;
    this.#choose();
  }

  #choose() {
    if (!this.hls) return;
    const level = this.levels.find((one) => one.height === this.wanted);
    // nextLevel switches at the next segment that is not yet buffered: no interruption.
    this.hls.nextLevel = level ? level.index : -1;
  }

  destroy() {
    this.hls?.destroy();
    this.hls = null;
    this.url = '';
    this.video.removeAttribute('src');
    this.video.load();
  }
}
