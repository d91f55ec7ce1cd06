/** The public page that verifies a certificate. */
import { get } from './api.js';
import { fill, find, h } from './dom.js';
import { day, list, spell } from './format.js';
import { language, onLanguage, t } from './i18n.js';
import { icon } from './icons.js';
import { startShell } from './shell.js';
import { failure } from './state.js';

const code = decodeURIComponent(location.pathname.split('/').pop() ?? '');
const root = find('#certificate');
const main = find('#content');

async function load() {
  main.setAttribute('aria-busy', 'true');
  document.title = `${t('certificate.title')} · ${t('brand')}`;
  try {
    show(await get(`/v1/certificates/${encodeURIComponent(code)}`));
  } catch (error) {
    fill(root, failure('certificate.failed', error, load));
  }
  main.setAttribute('aria-busy', 'false');
}

/** @param {import('./types.js').Certificate} held */
function show(held) {
  const valid = held.status === 'valid';
  const path = `/v1/certificates/${encodeURIComponent(held.code)}`;
  fill(root,
    h('div', { class: `notice ${valid ? 'good' : 'bad'}`, role: 'status' }, icon(valid ? 'check' : 'alert'),
      h('p', {}, h('strong', {}, valid ? t('certificate.valid') : t('certificate.revoked', { day: day(held.revoked_at) })),
        held.reason ? h('span', {}, ` ${held.reason}`) : null)),
    h('article', { class: 'panel certificate' },
      h('h1', {}, held.name ?? t('certificate.anonymous')),
      h('dl', {},
        fact('course', h('a', { href: `/courses/${encodeURIComponent(held.course.slug)}` }, held.course.title)),
        held.programme ? fact('programme', held.programme) : null,
        held.universities.length ? fact('universities', list(held.universities)) : null,
        held.instructors.length ? fact('instructors', list(held.instructors)) : null,
        fact('extent', `${t(held.lectures === 1 ? 'lectures.one' : 'lectures', { n: held.lectures })} · ${spell(held.duration)}`),
        fact('issued', day(held.issued_at)),
        fact('code', h('span', { class: 'numbers' }, held.code))),
      h('div', { class: 'actions' },
        h('a', { class: 'button primary', href: `${path}/pdf?lang=${language()}`, target: '_blank', t: 'certificate.print' }),
        held.badge_url ? h('a', { class: 'button', href: `${path}/badge`, download: `${held.code}.jwt`, t: 'certificate.badge' }) : null)));
}

/** @param {string} name @param {string | HTMLElement} value */
const fact = (name, value) => [h('dt', { t: `certificate.${name}` }), h('dd', {}, value)];

startShell();
onLanguage(load);
load();
