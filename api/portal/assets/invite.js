/** The page behind an invitation: one file, a bar, and what was found. No account, no navigation. */
import { ApiError, get } from './api.js';
import { fill, find, h } from './dom.js';
import { lend } from './session.js';
import { inviteWords, LANGUAGES } from './strings-invite.js';
import { discard, interrupted, upload } from './studio/uploads.js';

const POLL = 3000; // milliseconds between two looks at what inspection found
const root = find('#invite');
const title = find('#title');

/** @type {import('./types.js').Errand | null} */
let errand = null;
/** @type {() => void} draws the present step again, in another language */
let draw = () => {};

const language = () => /** @type {'zh' | 'en' | 'fr'} */ (document.documentElement.lang.slice(0, 2));

/** @param {keyof typeof inviteWords} key @param {Record<string, string>} [vars] */
function tell(key, vars = {}) {
  return inviteWords[key][LANGUAGES.indexOf(language())].replace(/\{(\w+)\}/g, (whole, name) => vars[name] ?? whole);
}

const percent = (/** @type {number} */ share) => new Intl.NumberFormat(language(), { style: 'percent' }).format(Math.floor(share * 100) / 100);

/** @param {() => void} step */
function show(step) {
  draw = step;
  step();
}

/** @param {string} wanted */
function speak(wanted) {
  document.documentElement.lang = wanted === 'zh' ? 'zh-Hans' : wanted;
  document.title = title.textContent = tell('title');
  for (const button of document.querySelectorAll('[data-speak]')) {
    button.setAttribute('aria-pressed', String(/** @type {HTMLElement} */ (button).dataset.speak === wanted));
  }
}

const about = () => errand && h('p', { class: 'invite-for' }, tell('for', { course: errand.course, lecture: errand.lecture }));
const alert = (/** @type {string} */ text) => h('p', { class: 'notice bad', role: 'alert' }, text);
const button = (/** @type {string} */ text, /** @type {() => void} */ onclick) => h('button', { class: 'button', type: 'button', onclick }, text);

async function look() {
  errand = await get('/v1/invitation');
  return /** @type {import('./types.js').Errand} */ (errand);
}

async function begin() {
  try {
    const { lecture_id: lecture } = await look();
    const before = await interrupted(lecture).catch(() => null);
    const { state, recording } = await look(); // what had arrived in full has been completed by now
    if (state === 'used' && recording?.state !== 'failed') {
      follow();
      return;
    }
    if (before && before !== 'gone') show(() => ask(tell('resume', { name: before.kept.name, share: percent(before.share) }), true));
    else show(() => ask(recording?.state === 'failed' ? refused() : '', false));
  } catch (error) {
    const gone = error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
    show(() => fill(root, alert(tell(gone ? 'ended' : 'trouble')), gone ? null : button(tell('again'), begin)));
  }
}

/** Why a file was no recording, as the API says it in this language. */
const refused = () => errand?.recording?.failure?.message || tell('failed');

/** @param {string} word @param {boolean} begun */
function ask(word, begun) {
  if (!errand) return;
  const { lecture_id: lecture, expires_at: end } = errand;
  const input = h('input', { type: 'file', id: 'file', accept: 'video/*,audio/*,.mkv,.ts,.mts,.flv', class: 'hidden-visually' });
  input.addEventListener('change', () => input.files?.[0] && send(lecture, input.files[0]));
  const day = new Intl.DateTimeFormat(language(), { dateStyle: 'long', timeStyle: 'short' }).format(new Date(end));
  fill(root, about(), word ? h('p', { class: 'notice warn', role: 'status' }, word) : null,
    input, h('label', { class: 'button primary', for: 'file' }, tell('choose')),
    begun ? button(tell('over'), () => discard(lecture).then(begin)) : null,
    h('p', { class: 'small muted' }, tell('hint')), h('p', { class: 'small muted' }, tell('until', { day })));
}

/** @param {string} lecture @param {File} file */
async function send(lecture, file) {
  if (file.size === 0) {
    show(() => ask(tell('empty'), false));
    return;
  }
  show(() => fill(root, about(), h('p', { role: 'status' }, tell('checking'))));
  try {
    const transfer = await upload(lecture, file);
    if (!transfer) {
      const before = await interrupted(lecture);
      const name = before && before !== 'gone' ? before.kept.name : '';
      show(() => ask(tell('other', { name }), true));
      return;
    }
    const bar = h('div', { class: 'bar often', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-label': file.name }, h('span'));
    const status = h('p', { role: 'status' });
    const numbers = h('p', { class: 'small muted numbers' });
    const again = button('', () => transfer.start());
    const progress = () => {
      const share = transfer.sent / file.size;
      const key = /** @type {const} */ ({ sending: 'sending', waiting: 'waiting', expired: 'stopped', completing: 'checking', completed: 'checking', paused: 'stopped', failed: 'stopped' })[transfer.state];
      if (status.textContent !== tell(key)) status.textContent = tell(key);
      bar.style.setProperty('--done', String(share));
      bar.setAttribute('aria-valuenow', String(Math.floor(share * 100)));
      numbers.textContent = `${file.name} · ${percent(share)}`;
      again.textContent = tell('again');
      again.hidden = transfer.active || transfer.state === 'completed';
    };
    show(() => {
      progress();
      fill(root, about(), status, bar, numbers, again);
    });
    transfer.addEventListener('change', () => {
      if (transfer.state === 'completed') follow();
      else if (transfer.refused) begin(); // says what became of the link
      else progress();
    });
  } catch {
    show(() => fill(root, alert(tell('trouble')), button(tell('again'), begin)));
  }
}

/** What became of it: until inspection has spoken, or transcoding has ended. */
async function follow() {
  const found = () => {
    const findings = errand?.recording?.inspection?.findings ?? [];
    const known = errand?.recording?.inspection;
    fill(root, about(), h('p', { class: 'notice good', role: 'status' }, tell('arrived')),
      known ? h('h2', {}, tell('found')) : h('p', {}, tell('looking')),
      known && !findings.length ? h('p', {}, tell('fine')) : null,
      findings.map((/** @type {{severity: string, message: string}} */ each) =>
        h('p', { class: `notice ${each.severity === 'info' ? 'info' : 'warn'}` }, each.message)));
  };
  show(found);
  for (;;) {
    const { recording } = await look().catch(() => ({ recording: null }));
    if (recording?.state === 'failed') {
      show(() => ask(refused(), false));
      return;
    }
    found();
    if (recording?.state === 'succeeded' || recording?.state === 'cancelled') return;
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

const wanted = new URLSearchParams(location.search).get('lang');
const liked = [wanted ?? '', ...navigator.languages].map((tag) => tag.slice(0, 2).toLowerCase());
speak(liked.find((tag) => LANGUAGES.some((known) => known === tag)) ?? 'en');
for (const each of document.querySelectorAll('[data-speak]')) {
  each.addEventListener('click', async () => {
    speak(/** @type {HTMLElement} */ (each).dataset.speak ?? 'en');
    if (errand) await look().catch(() => null); // titles and findings in this language, too
    draw();
  });
}
const permission = location.hash.slice(1);
if (permission.startsWith('inv.')) {
  lend(permission);
  begin();
} else show(() => fill(root, alert(tell('none'))));
