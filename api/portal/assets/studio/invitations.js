/** Links with which a visiting professor sends this lecture's recording: making, copying, revoking. */
import { call, creator, get } from '../api.js';
import { fill, h } from '../dom.js';
import { count, day } from '../format.js';
import { t } from '../i18n.js';
import { actionButton, field, notice, onSend, setOptions } from './parts.js';

const DAYS = [1, 3, 7, 14, 30, 90];
const USUAL = 14;
const DAY = 86_400; // seconds
/** @type {Record<string, string>} */
const LOOKS = { open: 'good', used: 'info', expired: 'warn', revoked: 'bad' };

/** @param {import('../types.js').Lecture} lecture @param {AbortSignal} signal */
export function invitationsPanel(lecture, signal) {
  const path = `/v1/lectures/${encodeURIComponent(lecture.id)}/invitations`;
  const made = h('div', {});
  const refresh = async () => {
    /** @type {{items: import('../types.js').Invitation[]}} */
    const { items } = await get(path, {}, signal);
    fill(made, items.length ? h('ul', { class: 'held' }, items.map((each) => line(each, refresh))) : null);
  };
  refresh().catch((error) => signal.aborted || fill(made, notice('bad', 'alert', error.message)));
  return h('section', { class: 'panel studio-stack', id: 'invitations', 'aria-labelledby': 'invitations-title' },
    h('h2', { id: 'invitations-title', t: 'invite.title' }), h('p', { class: 'small muted', t: 'invite.hint' }), making(path, refresh), made);
}

/** @param {string} path @param {() => Promise<void>} refresh */
function making(path, refresh) {
  const note = h('input', { type: 'text', name: 'note', maxlength: 200, autocomplete: 'off' });
  const days = h('select', { name: 'expires_in' });
  setOptions(days, DAYS.map((n) => ({ value: String(n), text: n === 1 ? t('invite.day') : t('invite.ndays', { n: count(n) }) })));
  days.value = String(USUAL);
  const form = h('form', { class: 'form-grid' },
    field('invite.note', note), field('invite.days', days),
    h('div', { class: 'wide form-end' }, h('button', { class: 'button', t: 'invite.make' }), h('p', { class: 'problem', role: 'alert' })));
  let create = creator(path);
  onSend(form, async () => {
    await create({ note: note.value.trim(), expires_in: Number(days.value) * DAY });
    create = creator(path); // the next link is another one, even for the same person
    note.value = '';
    await refresh();
  });
  return form;
}

/** @param {import('../types.js').Invitation} invitation @param {() => Promise<void>} refresh */
function line(invitation, refresh) {
  const { state } = invitation;
  const until = t('invite.until', { day: day(invitation.expires_at) });
  const revoke = async () => {
    await call('DELETE', `/v1/invitations/${encodeURIComponent(invitation.id)}`);
    await refresh();
  };
  return h('li', {}, h('span', { class: 'held-name' }, invitation.note || until),
    invitation.note ? h('span', { class: 'small muted' }, until) : null,
    h('span', { class: `badge ${LOOKS[state]}`, t: `invite.${state}` }),
    state === 'open' ? actionButton('invite.revoke', 'slim danger', revoke) : null,
    state === 'open' ? link(invitation.url) : null);
}

/** @param {string} url */
function link(url) {
  const shown = h('input', { type: 'text', readonly: true, value: url, label: 'invite.link' });
  const said = h('span', { class: 'small', role: 'status' });
  const copy = async () => {
    shown.select();
    try {
      await navigator.clipboard.writeText(url); // exists on secure origins only, and may be forbidden
      said.textContent = t('invite.copied');
    } catch {
      said.textContent = t('invite.select');
    }
  };
  return h('div', { class: 'held-link' }, shown, h('button', { class: 'button slim', type: 'button', t: 'invite.copy', onclick: copy }), said);
}
