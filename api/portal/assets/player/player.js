/** The player: one video element with its source, control bar, captions, storyboard, keys and resume point. */
import { fill, h } from '../dom.js';
import { clock } from '../format.js';
import { onLanguage, t } from '../i18n.js';
import { icon } from '../icons.js';
import { Captions } from './captions.js';
import { Chapters } from './chapters.js';
import { Controls, setSpeed, SPEEDS } from './controls.js';
import { askedStart, keep, resumeAt } from './resume.js';
import { SeekBar } from './seekbar.js';
import { helpDialog, listenToKeys } from './shortcuts.js';
import { Source } from './source.js';
import { loadStoryboard } from './storyboard.js';

const IDLE = 2600; // milliseconds without a sign of the viewer until the bar fades
const KEEP = 5; // seconds of playing between two notes of the position

export class Player {
  /** @param {string} lecture id @param {() => void} refresh asks the API for the lecture again */
  constructor(lecture, refresh) {
    this.lecture = lecture;
    /** @type {import('../types.js').Playback | null} */
    this.playback = null;
    this.video = h('video', { playsinline: true, preload: 'metadata', crossorigin: 'anonymous', tabindex: '-1' });
    this.source = new Source(this.video, {
      onLevels: () => {
        this.#listenOnly();
        this.controls.updateMenus();
      },
      onLevel: () => this.controls.updateMenus(),
      onDenied: refresh,
      onOffline: (gone) => this.say(gone ? 'player.reconnecting' : ''),
      onFailed: (kind) => this.say(`player.${kind}`),
    });
    this.captions = new Captions(this.video);
    this.seekbar = new SeekBar(this.video);
    this.chapters = new Chapters(this);
    this.help = helpDialog();
    const commands = this.#commands();
    this.controls = new Controls(this.video, this.source, this.captions, this.seekbar, commands);
    this.big = h('button', { class: 'big', type: 'button', label: 'player.play', onclick: commands.toggle }, icon('play'));
    this.message = h('p', { class: 'player-message', role: 'status', hidden: true });
    this.resumed = h('div', { class: 'resumed', hidden: true });
    this.element = h('div', { class: 'player', role: 'region', label: 'player', data: { state: 'paused' } },
      this.video, this.big, h('div', { class: 'spinner', 'aria-hidden': 'true' }), this.message, this.resumed, this.controls.element, this.help);
    listenToKeys(commands);
    onLanguage(() => this.controls.updateMenus());
    this.#follow();
    this.#fade();
  }

  /**
   * Shows what the API says now. The first call loads; later ones extend what is known, since a growing
   * playlist turns final under the same address. A new address is taken when the old one fails, or for more rungs.
   * @param {import('../types.js').Playback} playback
   * @param {boolean} [renew] the addresses in use are no longer honoured
   */
  show(playback, renew = false) {
    const first = !this.playback;
    const storyboard = this.playback?.storyboard;
    this.playback = playback;
    const available = playback.available_duration ?? playback.duration ?? 0;
    this.seekbar.extent(playback.duration ?? available, playback.state === 'ready' ? (playback.duration ?? available) : available);
    this.captions.show(playback.captions ?? []);
    this.chapters.show(playback.chapters ?? []);
    this.#listenOnly();
    this.controls.updateMenus();
    if (playback.poster && !this.video.poster) this.video.poster = playback.poster;
    if (playback.storyboard && (playback.storyboard !== storyboard || !this.seekbar.tiles.length)) {
      loadStoryboard(playback.storyboard).then((tiles) => void (this.seekbar.tiles = tiles));
    }
    if (!playback.hls) return;
    if (first) this.#start(playback.hls, available);
    else if (renew && playback.hls !== this.source.url) this.source.renew(playback.hls);
    else if (playback.state === 'ready') this.source.offer(playback.hls, heights(playback));
  }

  /** Without a picture the poster stays: a video element would show black. */
  #listenOnly() {
    const playback = this.playback;
    if (!playback) return;
    const only = this.source.listening || (playback.renditions?.length > 0 && !heights(playback).length);
    this.element.classList.toggle('listen', only);
    if (only && playback.poster) this.element.style.setProperty('background-image', `url("${playback.poster}")`);
  }

  /** @param {string} url @param {number} available */
  #start(url, available) {
    const asked = askedStart();
    const at = asked ?? resumeAt(this.lecture);
    const start = at < available ? at : 0;
    this.source.load(url, start);
    if (start > 0 && asked === null) this.#offerRestart(start);
  }

  /** @param {number} at */
  #offerRestart(at) {
    const done = () => void (this.resumed.hidden = true);
    fill(this.resumed, h('span', { t: 'player.resumed', vars: { time: clock(at) } }),
      h('button', { type: 'button', t: 'player.restart', onclick: () => {
        this.seekbar.seek(0);
        done();
      } }));
    this.resumed.hidden = false;
    this.video.addEventListener('playing', () => setTimeout(done, 6000), { once: true });
  }

  /** @returns {import('./shortcuts.js').Commands} */
  #commands() {
    const { video } = this;
    return {
      toggle: () => (video.paused ? void video.play().catch(() => {}) : video.pause()),
      skip: (by) => this.seekbar.seek(video.currentTime + by),
      jump: (share) => this.seekbar.seek(share * this.seekbar.span),
      louder: (by) => {
        video.muted = false;
        video.volume = Math.min(1, Math.max(0, video.volume + by));
      },
      mute: () => void (video.muted = !video.muted),
      enlarge: () => this.#enlarge(),
      captions: () => this.captions.toggle(),
      speed: (steps) => {
        const at = SPEEDS.indexOf(video.playbackRate);
        setSpeed(video, SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, (at < 0 ? 2 : at) + steps))]);
      },
      help: () => this.help.showModal(),
    };
  }

  #enlarge() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.element.requestFullscreen) this.element.requestFullscreen();
    else /** @type {any} */ (this.video).webkitEnterFullscreen?.(); // iPhones enlarge only the video itself
  }

  #follow() {
    const { video } = this;
    let kept = 0;
    const state = () => {
      const waiting = !video.paused && video.readyState < 3;
      this.element.dataset.state = video.ended ? 'ended' : waiting ? 'waiting' : video.paused ? 'paused' : 'playing';
      const edge = waiting && this.playback?.state === 'streaming' && video.currentTime > this.seekbar.end - 1.5;
      if (edge) this.say('player.edge');
      else if (this.message.dataset.t === 'player.edge') this.say('');
    };
    for (const name of ['play', 'pause', 'playing', 'waiting', 'ended', 'seeked', 'canplay', 'timeupdate']) video.addEventListener(name, state);
    const note = () => {
      if (video.currentTime > 0) keep(this.lecture, video.currentTime, this.seekbar.span);
    };
    video.addEventListener('timeupdate', () => {
      if (Math.abs(video.currentTime - kept) < KEEP) return;
      kept = video.currentTime;
      note();
    });
    for (const name of ['pause', 'ended']) video.addEventListener(name, note);
    addEventListener('pagehide', note);
    video.addEventListener('click', () => this.controls.play.click());
    video.addEventListener('dblclick', () => this.#enlarge());
  }

  /** The bar fades while playing without a sign of the viewer, but never while it has the focus or an open menu. */
  #fade() {
    let timer = 0;
    const wake = () => {
      this.element.classList.remove('idle');
      clearTimeout(timer);
      timer = setTimeout(() => {
        const used = this.element.querySelector('.controls :focus-visible, [role="menu"]:not([hidden])');
        if (!used) this.element.classList.add('idle');
      }, IDLE);
    };
    for (const name of ['pointermove', 'pointerdown', 'keydown', 'focusin']) this.element.addEventListener(name, wake);
    this.video.addEventListener('play', wake);
  }

  /** A sentence over the picture. @param {string} key '' takes it away */
  say(key) {
    this.message.hidden = !key;
    this.message.dataset.t = key;
    this.message.textContent = key ? t(key) : '';
  }

  destroy() {
    this.source.destroy();
    this.element.remove();
    this.chapters.element.remove();
  }
}

/** Short sides of the rungs. @param {import('../types.js').Playback} playback */
const heights = ({ renditions = [] }) =>
  renditions.flatMap(({ width, height }) => (width && height ? [Math.min(width, height)] : []));
