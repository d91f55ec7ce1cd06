/** A lecture's page: the player or the reason why there is none yet, and what the lecture is about. */
import { ApiError, get } from './api.js';
import { fill, find, h, paragraphs } from './dom.js';
import { spell } from './format.js';
import { onLanguage, t } from './i18n.js';
import { icon } from './icons.js';
import { person } from './people.js';
import { Heartbeat } from './player/heartbeat.js';
import { Player } from './player/player.js';
import { adoptProgress } from './progress.js';
import { startShell } from './shell.js';
import { failure, state } from './state.js';
import { lecturesOf, syllabus } from './syllabus.js';

const POLL = 4000; // milliseconds between two looks at a lecture that is still being processed
const POLL_LATER = 60_000; // milliseconds between two looks for better rungs, which follow what was encoded first
const LATER = 120; // such looks at most: the second pass ends within a few times the lecture's length
const RENEW_AT_MOST_EVERY = 10_000; // milliseconds

const id = decodeURIComponent(location.pathname.split('/').pop() ?? '');
const stage = find('#stage');
const notices = find('#notices');
const about = find('#about');
const beside = find('#beside');

/** @type {Player | null} */
let player = null;
/** @type {Heartbeat | null} */
let heartbeat = null;
/** @type {string} */
let before = '';
let grew = false;
let later = 0;
let renewedAt = 0;

const read = () => get(`/v1/lectures/${encodeURIComponent(id)}`);

async function load() {
  about.setAttribute('aria-busy', 'true');
  try {
    /** @type {import('./types.js').Lecture} */
    const lecture = await read();
    if (!player) await adoptProgress(lecture.course);
    showPlayback(lecture);
    const course = await get(`/v1/courses/${encodeURIComponent(lecture.course)}`).catch(() => null);
    showWords(lecture, course);
    about.setAttribute('aria-busy', 'false');
    return lecture;
  } catch (error) {
    const down = error instanceof ApiError && error.problem?.type === 'urn:academy:problem:taken_down';
    fill(stage, h('div', { class: 'player empty' }, failure(down ? 'lecture.down' : 'lecture.failed', error, () => location.reload())));
    return null;
  }
}

/** @param {import('./types.js').Lecture} lecture @param {boolean} [renew] */
function showPlayback(lecture, renew = false) {
  const { playback } = lecture;
  if (playback.state === 'ready' || playback.state === 'streaming') {
    if (!player) {
      player = new Player(id, renewAddresses);
      heartbeat = new Heartbeat(id, player.video);
      fill(stage, player.element);
      stage.after(player.chapters.element);
    }
    player.show(playback, renew);
  } else {
    heartbeat?.stop();
    player?.destroy();
    player = heartbeat = null;
    const kind = playback.state === 'failed' ? 'broken' : playback.state;
    const name = { none: 'film', processing: 'clock', broken: 'alert' }[kind] ?? 'film';
    fill(stage, h('div', { class: 'player empty' }, state({ icon: name, title: `lecture.${kind}`, hint: t(`lecture.${kind}.hint`) })));
  }
  showNotice(playback);
  before = playback.state;
  grew ||= before === 'streaming';
}

/** @param {import('./types.js').Playback} playback */
function showNotice(playback) {
  const available = spell(playback.available_duration ?? 0);
  if (playback.state === 'streaming') {
    const vars = { available, total: spell(playback.duration ?? 0) };
    const known = (playback.duration ?? 0) > (playback.available_duration ?? 0);
    const text = t(known ? 'lecture.growing.of' : 'lecture.growing', vars);
    const shown = notices.querySelector('p');
    if (shown?.dataset.growing) shown.textContent = text;
    else fill(notices, h('div', { class: 'notice' }, icon('clock'), h('p', { data: { growing: 'yes' } }, text)));
  } else if (playback.state === 'ready' && before === 'streaming') {
    fill(notices, h('div', { class: 'notice good' }, icon('check'), h('p', { t: 'lecture.complete' })));
  } else if (playback.state !== 'ready') {
    fill(notices);
  }
}

/** Old addresses answer 403 or 410: their tokens expired, or the media changed. */
async function renewAddresses() {
  if (Date.now() - renewedAt < RENEW_AT_MOST_EVERY) return;
  renewedAt = Date.now();
  try {
    showPlayback(await read(), true);
  } catch (error) {
    player?.say(error instanceof ApiError && error.status ? 'player.failed' : 'player.reconnecting');
  }
}

/** Milliseconds until the next look; 0 for none. */
function pace() {
  if (before === 'processing' || before === 'streaming') return POLL;
  return before === 'ready' && grew && later < LATER ? POLL_LATER : 0;
}

/** Looks again while something is still being processed and somebody may be looking. */
async function poll() {
  if (!document.hidden) {
    if (before === 'ready') later += 1;
    try {
      showPlayback(await read());
    } catch {
      // the next look may succeed
    }
  }
  if (pace()) setTimeout(poll, pace());
}

/** @param {import('./types.js').Lecture} lecture @param {import('./types.js').Course | null} course */
function showWords(lecture, course) {
  document.title = `${lecture.title} · ${t('brand')}`;
  const lectures = course ? lecturesOf(course) : [];
  const at = lectures.findIndex((one) => one.id === id);
  const next = at >= 0 ? lectures.slice(at + 1).find((one) => one.playable) : undefined;
  fill(about,
    h('div', { class: 'about-head' },
      h('div', { class: 'about-title' },
        course ? h('a', { class: 'crumb small', href: `/courses/${encodeURIComponent(course.slug)}` }, icon('left'), course.title) : null,
        h('h1', {}, lecture.title),
        h('p', { class: 'badges' },
          at >= 0 ? h('span', { class: 'badge' }, t('lecture.number', { n: at + 1 })) : null,
          lecture.duration ? h('span', { class: 'badge numbers' }, spell(lecture.duration)) : null,
          lecture.published ? null : h('span', { class: 'badge warn', t: 'lecture.unpublished' }))),
      next ? h('a', { class: 'button next', href: `/lectures/${next.id}` },
        h('span', {}, h('small', { t: 'lecture.next' }), h('span', {}, next.title)), icon('arrow')) : null),
    lecture.description ? h('div', { class: 'prose' }, paragraphs(lecture.description)) : null,
    lecture.instructors.length ? h('ul', { class: 'people' }, lecture.instructors.map((one) => person(one, true))) : null);
  if (course && lectures.length > 1) {
    fill(beside, h('h2', {}, h('a', { href: `/courses/${encodeURIComponent(course.slug)}` }, course.title)), syllabus(course, id));
    beside.hidden = false;
  }
}

startShell();
onLanguage(load);
load().then((lecture) => lecture && pace() && setTimeout(poll, pace()));
