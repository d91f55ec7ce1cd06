/** The control bar: buttons, volume, time and menus around one video element. */
import { fill, h } from '../dom.js';
import { clock } from '../format.js';
import { apply, t } from '../i18n.js';
import { icon } from '../icons.js';
import { recall, remember } from '../memory.js';
import { Menu } from './menu.js';
import { SOUND } from './source.js';

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/** @param {number} speed */
const speedText = (speed) => `${speed}×`;

/** @param {number} height of a rung, SOUND, or -1 */
const qualityText = (height) => (height > 0 ? `${height}p` : t(height === SOUND ? 'player.sound' : 'player.auto'));

/** @param {string} label @param {string} name @param {() => void} action */
const button = (label, name, action) => h('button', { class: 'control', type: 'button', label, onclick: action }, icon(name));

/** @param {HTMLElement} element @param {string} label @param {string} name */
function face(element, label, name) {
  if (element.dataset.label === label) return;
  element.dataset.label = label;
  fill(element, icon(name));
  apply(element);
}

export class Controls {
  /**
   * @param {HTMLVideoElement} video
   * @param {import('./source.js').Source} source
   * @param {import('./captions.js').Captions} captions
   * @param {import('./seekbar.js').SeekBar} seekbar
   * @param {import('./shortcuts.js').Commands} commands
   */
  constructor(video, source, captions, seekbar, commands) {
    this.video = video;
    this.seekbar = seekbar;
    this.play = button('player.play', 'play', commands.toggle);
    this.mute = button('player.mute', 'volume', commands.mute);
    this.enlarge = button('player.enlarge', 'enlarge', commands.enlarge);
    this.volume = h('input', { type: 'range', class: 'volume', min: 0, max: 1, step: 0.05, label: 'player.volume' });
    this.time = h('span', { class: 'time numbers' });
    this.quality = new Menu({
      label: 'player.quality',
      face: () => qualityText(source.chosen),
      choices: () => [
        { value: -1, text: source.chosen < 0 && source.height ? t('player.auto.now', { height: source.height }) : t('player.auto') },
        ...source.levels.map(({ height }) => ({ value: height, text: qualityText(height) })),
        ...(source.offersSound ? [{ value: SOUND, text: qualityText(SOUND) }] : []),
      ],
      current: () => source.chosen,
      choose: (height) => source.prefer(height),
    });
    this.speed = new Menu({
      label: 'player.speed',
      face: () => speedText(video.playbackRate),
      choices: () => SPEEDS.map((value) => ({ value, text: speedText(value) })),
      current: () => video.playbackRate,
      choose: (value) => setSpeed(video, value),
    });
    this.captions = new Menu({
      label: 'player.captions',
      face: () => icon('captions'),
      choices: () => (captions.list.length ? [{ value: '', text: t('player.off') }, ...captions.list.map(({ language, label }) => ({ value: language, text: label }))] : []),
      current: () => captions.current,
      choose: (value) => captions.prefer(value),
    });
    this.element = h('div', { class: 'controls' }, seekbar.element,
      h('div', { class: 'control-row' },
        this.play,
        h('span', { class: 'skips' }, button('player.back', 'back', () => commands.skip(-10)), button('player.forward', 'forward', () => commands.skip(10))),
        this.mute, this.volume, this.time, h('span', { class: 'spacer' }),
        this.captions.element, this.speed.element, this.quality.element,
        h('span', { class: 'help' }, button('player.keys', 'keyboard', commands.help)), this.enlarge));
    this.#listen();
    this.update();
  }

  #listen() {
    const { video } = this;
    video.volume = Number(recall('academy.volume') ?? 1);
    video.defaultPlaybackRate = Number(recall('academy.speed') ?? 1);
    video.playbackRate = video.defaultPlaybackRate;
    this.volume.addEventListener('input', () => {
      video.volume = Number(this.volume.value);
      video.muted = video.volume === 0;
    });
    video.addEventListener('volumechange', () => remember('academy.volume', video.volume || null));
    for (const name of ['play', 'pause', 'ended', 'volumechange', 'ratechange', 'timeupdate', 'durationchange', 'seeking']) {
      video.addEventListener(name, () => this.update());
    }
    document.addEventListener('fullscreenchange', () => this.update());
  }

  update() {
    const { video } = this;
    face(this.play, video.paused ? 'player.play' : 'player.pause', video.paused ? 'play' : 'pause');
    const silent = video.muted || video.volume === 0;
    face(this.mute, silent ? 'player.unmute' : 'player.mute', silent ? 'muted' : 'volume');
    const large = Boolean(document.fullscreenElement);
    face(this.enlarge, large ? 'player.shrink' : 'player.enlarge', large ? 'shrink' : 'enlarge');
    this.volume.value = String(video.muted ? 0 : video.volume);
    this.volume.style.setProperty('--played', String(video.muted ? 0 : video.volume));
    this.time.textContent = `${clock(video.currentTime)} / ${clock(this.seekbar.span)}`;
    if (!this.speed.open) this.speed.update();
  }

  /** Menus whose entries changed: rungs, captions, language. */
  updateMenus() {
    for (const menu of [this.quality, this.speed, this.captions]) if (!menu.open) menu.update();
    this.update();
  }
}

/** @param {HTMLVideoElement} video @param {number} speed */
export function setSpeed(video, speed) {
  video.defaultPlaybackRate = speed; // so that a new source keeps it
  video.playbackRate = speed;
  remember('academy.speed', speed);
}
