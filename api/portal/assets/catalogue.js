/** The front page: the programme's story, filters, courses. The filters live in the address. */
import { get } from './api.js';
import { card, placeholders } from './card.js';
import { panorama } from './cover.js';
import { fill, find, h } from './dom.js';
import { count } from './format.js';
import { onLanguage, t } from './i18n.js';
import { startShell } from './shell.js';
import { failure, state } from './state.js';

const PAGE = 12;
const FILTERS = ['programme', 'university', 'level', 'language', 'sort'];

const grid = find('#courses');
const more = find('#more');
const message = find('#message');
const announcement = find('#announcement');
const form = find('#filters');

/** @type {string | null} */
let cursor = null;
let shown = 0;
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
  if (fresh) {
    cursor = null;
    shown = 0;
    fill(message);
    fill(grid, placeholders(6));
  }
  grid.setAttribute('aria-busy', 'true');
  more.disabled = true;
  try {
    const page = await get('/v1/courses', { ...chosen(), limit: PAGE, cursor }, signal);
    if (fresh) fill(grid);
    const first = grid.children.length;
    grid.append(...page.items.map(card));
    cursor = page.next_cursor;
    shown += page.items.length;
    more.hidden = !cursor;
    fill(message, shown ? null : nothing());
    announcement.textContent = t('home.shown', { n: count(shown) });
    if (!fresh) grid.children[first]?.querySelector('a')?.focus();
  } catch (error) {
    if (signal.aborted) return;
    if (fresh) fill(grid);
    more.hidden = true;
    fill(message, failure('home.failed', error, () => load(fresh)));
  }
  grid.setAttribute('aria-busy', 'false');
  more.disabled = false;
}

function nothing() {
  const filtered = FILTERS.some((name) => name !== 'sort' && chosen()[name]);
  if (!filtered) return state({ icon: 'film', title: 'home.bare', hint: t('home.bare.hint') });
  const clear = h('button', { class: 'button', type: 'button', t: 'home.clear', onclick: () => choose({}) });
  return state({ icon: 'film', title: 'home.empty', hint: t('home.empty.hint'), action: clear });
}

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
    select.value = value || (name === 'sort' ? 'newest' : '');
    select.closest('.filter').classList.toggle('active', name !== 'sort' && Boolean(value));
  }
}

/** Fills the two selects whose choices come from the API, and the row of universities. */
async function loadChoices() {
  const [programmes, universities] = await Promise.all([get('/v1/programmes', { limit: 100 }), get('/v1/universities', { limit: 100 })]);
  /** @param {any} select @param {{slug: string, name: string}[]} items */
  const options = (select, items) =>
    fill(select, select.options[0], items.map((item) => h('option', { value: item.slug }, item.name)));
  options(form.elements.programme, programmes.items);
  options(form.elements.university, universities.items);
  showChosen();
  fill(
    find('#universities'),
    universities.items.map((/** @type {any} */ item) =>
      h('li', {}, h('a', { href: `/?university=${item.slug}#catalogue`, data: { university: item.slug } }, item.name)),
    ),
  );
  find('.partners').hidden = universities.items.length === 0;
}

/** Filters work without their names' translations: a failure here must not hide the courses. */
const loadChoicesQuietly = () => loadChoices().catch(() => {});

startShell();
find('.hero').prepend(panorama());
form.addEventListener('change', () => choose(Object.fromEntries(FILTERS.map((name) => [name, form.elements[name].value]))));
form.addEventListener('submit', (/** @type {Event} */ event) => event.preventDefault());
more.addEventListener('click', () => load(false));
find('#universities').addEventListener('click', (/** @type {MouseEvent} */ event) => {
  const link = /** @type {HTMLElement} */ (event.target).closest('a');
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  choose({ university: link.dataset.university ?? '' });
  find('#catalogue').scrollIntoView({ behavior: 'smooth' });
});
addEventListener('popstate', () => {
  showChosen();
  load(true);
});
onLanguage(() => {
  document.title = t('home.title');
  loadChoicesQuietly();
  load(true);
});
document.title = t('home.title');
showChosen();
loadChoicesQuietly();
load(true);
