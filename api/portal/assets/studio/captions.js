/** A lecture's captions: what was uploaded in each language, adding and deleting. */
import { call, get } from '../api.js';
import { fill, h } from '../dom.js';
import { count, languageName } from '../format.js';
import { t } from '../i18n.js';
import { actionButton, field, notice, onSend, setOptions } from './parts.js';

/** Offered first; what else a lecture has already stays as it is. */
const LANGUAGES = ['zh', 'zh-Hant', 'en', 'fr', 'de', 'es', 'pt', 'it', 'ru', 'ar', 'ja', 'ko', 'vi', 'th', 'id'];
const KINDS = /** @type {const} */ (['subtitles', 'captions']);

/** @param {import('../types.js').Lecture} lecture @param {AbortSignal} signal */
export function captionsPanel(lecture, signal) {
  const path = `/v1/lectures/${encodeURIComponent(lecture.id)}/captions`;
  const given = h('div', {});
  const said = h('div', { role: 'status' });
  const refresh = async () => {
    /** @type {{items: import('../types.js').CaptionsGiven[]}} */
    const { items } = await get(path, {}, signal);
    fill(given, items.length ? h('ul', { class: 'held' }, items.map(line)) : h('p', { class: 'muted', t: 'captions.none' }));
  };

  /** @param {import('../types.js').CaptionsGiven} file */
  const line = (file) => {
    const name = languageName(file.language);
    const remove = actionButton('captions.delete', 'slim danger', async () => {
      await call('DELETE', `${path}/${encodeURIComponent(file.language)}`);
      fill(said);
      await refresh();
    });
    remove.querySelector('button')?.setAttribute('aria-label', t('captions.remove', { language: name }));
    return h('li', {}, h('span', { class: 'held-name', lang: file.language }, file.label),
      h('span', { class: 'small muted' }, [name, t(`captions.${file.kind}`), t('captions.cues', { n: count(file.cues) })].join(' · ')),
      remove);
  };

  refresh().catch((error) => signal.aborted || fill(given, notice('bad', 'alert', error.message)));
  return h('section', { class: 'panel studio-stack', id: 'captions', 'aria-labelledby': 'captions-title' },
    h('h2', { id: 'captions-title', t: 'captions.title' }), given, said, adding(lecture.language, path, said, refresh));
}

/** @param {string} spoken @param {string} path @param {HTMLElement} said @param {() => Promise<void>} refresh */
function adding(spoken, path, said, refresh) {
  const language = h('select', { name: 'language' });
  setOptions(language, [...new Set([spoken, ...LANGUAGES])].map((value) => ({ value, text: languageName(value) })));
  const kind = h('select', { name: 'kind' });
  setOptions(kind, KINDS.map((value) => ({ value, text: t(`captions.${value}`) })));
  const file = h('input', { type: 'file', name: 'captions', accept: '.vtt,.srt,text/vtt', required: true });
  const form = h('form', { class: 'form-grid' },
    field('captions.language', language), field('captions.kind', kind),
    h('div', { class: 'wide' }, field('captions.file', file, 'captions.file.hint')),
    h('div', { class: 'wide form-end' }, h('button', { class: 'button', t: 'captions.send' }), h('p', { class: 'problem', role: 'alert' })));
  onSend(form, async () => {
    fill(said);
    const taken = await call('PUT', `${path}/${encodeURIComponent(language.value)}`, { body: file.files[0], query: { kind: kind.value } });
    const changed = Object.values(taken.changes).reduce((sum, number) => sum + Number(number), 0);
    fill(said, notice('good', 'check', [
      t('captions.taken', { language: languageName(taken.language), n: count(taken.cues) }),
      changed ? t('captions.changed', { n: count(changed) }) : '',
      taken.playing ? '' : t('captions.later'),
    ].filter(Boolean).join(' ')));
    file.value = '';
    await refresh();
  });
  return form;
}
