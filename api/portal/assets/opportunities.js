/** Partners' internships and jobs, the next to close first. The filters live in the address. */
import { get } from './api.js';
import { fill, find, h, paragraphs } from './dom.js';
import { calendarDay, count } from './format.js';
import { onLanguage, t } from './i18n.js';
import { startShell } from './shell.js';
import { failure, state } from './state.js';
import { opportunityStrings } from './strings-opportunities.js';
import { strings } from './strings.js';

Object.assign(strings, opportunityStrings); // no other page needs these words
const PAGE = 20;
const FILTERS = ['programme', 'kind'];
const SOON = 7; // days
const DAY = 86_400_000; // milliseconds

const list = find('#offers');
const more = find('#more');
const message = find('#message');
const announcement = find('#announcement');
const form = find('#filters');

/** @type {Record<string, string>} names by slug */
let programmes = {};
/** @type {string | null} */
let cursor = null;
let latest = new AbortController();

const chosen = () => {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? '']));
};

/** @param {boolean} fresh from the first page on */
async function load(fresh) {
  latest.abort();
  latest = new AbortController();
  const { signal } = latest;
  document.title = `${t('offers.title')} · ${t('brand')}`;
  if (fresh) cursor = null;
  list.setAttribute('aria-busy', 'true');
  more.disabled = true;
  try {
    const [page] = await Promise.all([get('/v1/opportunities', { ...chosen(), limit: PAGE, cursor }, signal), fresh ? loadProgrammes(signal) : null]);
    if (fresh) fill(list);
    const first = list.children.length;
    list.append(...page.items.map(offer));
    cursor = page.next_cursor;
    more.hidden = !cursor;
    fill(message, list.children.length ? null : nothing());
    announcement.textContent = t('offers.shown', { n: count(list.children.length) });
    if (!fresh) list.children[first]?.querySelector('a')?.focus();
  } catch (error) {
    if (signal.aborted) return;
    if (fresh) fill(list);
    more.hidden = true;
    fill(message, failure('offers.failed', error, () => load(fresh)));
  }
  list.setAttribute('aria-busy', 'false');
  more.disabled = false;
}

/** Offers can be read without programmes' names: a failure here must not hide them. @param {AbortSignal} signal */
async function loadProgrammes(signal) {
  const { items } = await get('/v1/programmes', { limit: 100 }, signal).catch(() => ({ items: [] }));
  programmes = Object.fromEntries(items.map((/** @type {any} */ item) => [item.slug, item.name]));
  const select = form.elements.programme;
  fill(select, select.options[0], items.map((/** @type {any} */ item) => h('option', { value: item.slug }, item.name)));
  showChosen();
}

function nothing() {
  if (!FILTERS.some((name) => chosen()[name])) return state({ icon: 'book', title: 'offers.none', hint: t('offers.none.hint') });
  const clear = h('button', { class: 'button', type: 'button', t: 'home.clear', onclick: () => choose({}) });
  return state({ icon: 'book', title: 'offers.empty', hint: t('home.empty.hint'), action: clear });
}

/** @param {import('./types.js').Opportunity} one */
function offer(one) {
  const left = Math.round((Date.parse(one.closes_on) - Date.parse(today())) / DAY);
  const soon = left <= 0 ? t('offers.today') : left === 1 ? t('offers.left.one') : t('offers.left', { n: left });
  return h('li', { class: 'offer' },
    h('h2', {}, one.title),
    h('p', { class: 'muted' }, [one.organisation, one.location].filter(Boolean).join(' · ')),
    h('p', { class: 'badges' },
      h('span', { class: 'badge accent', t: `offers.kind.${one.kind}` }),
      one.programmes.map((slug) => h('span', { class: 'badge' }, programmes[slug] ?? slug))),
    one.description ? h('div', { class: 'prose' }, paragraphs(one.description)) : null,
    h('div', { class: 'until' },
      h('p', { class: 'small' }, t('offers.until', { day: calendarDay(one.closes_on) }), ' ', left <= SOON ? h('span', { class: 'badge warn' }, soon) : null),
      h('a', { class: 'button', href: one.url, rel: 'noopener external', 'aria-label': t('offers.open.at', { title: one.title }) }, t('offers.open'))));
}

/** The reader's own calendar day. */
const today = () => new Intl.DateTimeFormat('en-CA').format(new Date());

/** @param {Record<string, string>} filters */
function choose(filters) {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
  history.pushState(null, '', query.size ? `?${query}` : location.pathname);
  showChosen();
  load(true);
}

function showChosen() {
  for (const [name, value] of Object.entries(chosen())) {
    const select = form.elements[name];
    select.value = value;
    select.closest('.filter').classList.toggle('active', Boolean(value));
  }
}

startShell();
form.addEventListener('change', () => choose(Object.fromEntries(FILTERS.map((name) => [name, form.elements[name].value]))));
form.addEventListener('submit', (/** @type {Event} */ event) => event.preventDefault());
more.addEventListener('click', () => load(false));
addEventListener('popstate', () => {
  showChosen();
  load(true);
});
onLanguage(() => load(true));
showChosen();
load(true);
