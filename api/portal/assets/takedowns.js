/** The administrators' list of what was taken down, and taking a lecture down. */
import { call, get } from './api.js';
import { fill, h } from './dom.js';
import { moment } from './format.js';
import { t } from './i18n.js';
import { actionButton, field, onSend } from './studio/parts.js';

const PAGE = 20;

/** @param {any} page of takedowns @param {() => Promise<void>} reload @returns {HTMLElement} */
export function takedownsPanel(page, reload) {
  const list = h('ul', {}, page.items.map(line));
  const more = h('div', { class: 'actions' });
  offerMore(more, list, page.next_cursor);
  return h('section', { class: 'panel' }, h('h2', { t: 'admin.takedowns' }),
    h('p', { class: 'small muted', t: 'admin.takedowns.hint' }),
    form(reload),
    page.items.length ? list : h('p', { class: 'small', t: 'admin.takedowns.none' }), more);
}

export const firstTakedowns = () => get('/v1/takedowns', { limit: PAGE });

/** @param {HTMLElement} place @param {HTMLElement} list @param {string | null} cursor */
function offerMore(place, list, cursor) {
  const next = async () => {
    const page = await get('/v1/takedowns', { limit: PAGE, cursor });
    list.append(...page.items.map(line));
    offerMore(place, list, page.next_cursor);
  };
  fill(place, cursor ? actionButton('admin.more', 'slim', next) : null);
}

/** @param {any} takedown */
function line(takedown) {
  const title = takedown.title.en ?? Object.values(takedown.title)[0] ?? takedown.lecture_id;
  const lecture = encodeURIComponent(takedown.lecture_id);
  return h('li', { class: 'job' },
    h('h3', {}, title),
    h('p', {}, takedown.reason),
    h('p', { class: 'small muted' }, t('admin.takedown.by', { course: takedown.course, by: takedown.taken_down_by, at: moment(takedown.taken_down_at) })),
    h('p', { class: 'small' },
      takedown.finished_at ? h('span', { class: 'badge good', t: 'admin.takedown.finished' }) : h('span', { class: 'badge warn', t: 'admin.takedown.unfinished' }),
      takedown.trouble ? h('span', { class: 'problem' }, ` ${takedown.trouble}`) : null),
    h('p', { class: 'small' }, h('a', { href: `/studio#/lectures/${lecture}`, t: 'admin.takedown.again' })));
}

/** @param {() => Promise<void>} reload */
function form(reload) {
  const lecture = h('input', { type: 'text', name: 'lecture', required: true, autocomplete: 'off', spellcheck: 'false' });
  const reason = h('input', { type: 'text', name: 'reason', required: true, maxlength: 2000, autocomplete: 'off' });
  const element = h('form', { class: 'takedown' },
    field('admin.takedown.lecture', lecture, 'admin.takedown.lecture.hint'),
    field('admin.takedown.reason', reason, 'admin.takedown.reason.hint'),
    h('div', { class: 'actions' }, h('button', { class: 'button danger slim', t: 'admin.takedown' })),
    h('p', { class: 'problem', role: 'alert' }));
  onSend(element, async () => {
    // An address is as good as an id: it is what a complaint names.
    const id = lecture.value.trim().replace(/[?#].*$/, '').split('/').filter(Boolean).pop() ?? '';
    if (!confirm(t('admin.takedown.sure'))) return;
    await call('POST', `/v1/lectures/${encodeURIComponent(id)}/takedown`, { body: { reason: reason.value } });
    await reload();
  });
  return element;
}
