/** Choosing a file and seeing it go: the upload's face. */
import { fill, h } from '../dom.js';
import { bytes, percent, spell } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { askAgain } from '../session.js';
import { actionButton, notice } from './parts.js';
import { discard, interrupted, transferOf, upload } from './uploads.js';

/**
 * @param {HTMLElement} root @param {string} lecture @param {AbortSignal} signal
 * @param {() => void} onCompleted
 * @returns {{recording: (state: string | null) => void}} told of the recording's state, since a lecture
 *   that has one is offered a replacement instead
 */
export function uploadPanel(root, lecture, signal, onCompleted) {
  /** @type {string | null} */
  let recording = null;
  let asked = false;

  /** @param {HTMLElement} [problem] */
  async function idle(problem) {
    const before = await interrupted(lecture).catch(() => null);
    if (signal.aborted) return;
    const busy = recording === 'queued' || recording === 'running';
    if (before && before !== 'gone') fill(root, problem ?? null, goOn(before), picker('upload.interrupted.hint'));
    else if (busy) fill(root, problem ?? null);
    else {
      const gone = before === 'gone' ? notice('warn', 'alert', t('upload.gone')) : null;
      fill(root, problem ?? gone, picker(recording ? 'upload.replace.hint' : 'upload.hint'));
    }
  }

  /** @param {{kept: import('./kept.js').Kept, share: number}} before */
  const goOn = ({ kept, share }) =>
    h('div', { class: 'studio-stack' },
      notice('warn', 'clock', t('upload.interrupted', { name: kept.name, share: percent(share) })),
      actionButton('upload.abort', 'slim danger', () => discard(lecture).then(() => idle())));

  /** @param {string} hint key */
  function picker(hint) {
    const input = h('input', { type: 'file', id: 'file', accept: 'video/*,audio/*,.mkv,.ts,.mts,.flv', class: 'hidden-visually' });
    const zone = h('div', { class: 'drop' }, icon('upload'),
      h('p', { t: recording ? 'upload.replace' : 'upload.drop' }),
      input, h('label', { class: 'button', for: 'file', t: 'upload.choose' }),
      h('p', { class: 'small muted', t: hint }));
    input.addEventListener('change', () => input.files?.[0] && begin(input.files[0]));
    for (const name of ['dragenter', 'dragover']) {
      zone.addEventListener(name, (/** @type {DragEvent} */ event) => {
        event.preventDefault();
        zone.classList.add('over');
      });
    }
    zone.addEventListener('dragleave', () => zone.classList.remove('over'));
    zone.addEventListener('drop', (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      zone.classList.remove('over');
      const file = event.dataTransfer?.files[0];
      if (file) begin(file);
    });
    return zone;
  }

  /** @param {File} file */
  async function begin(file) {
    fill(root, h('p', { class: 'muted', role: 'status', t: 'upload.preparing' }));
    try {
      const transfer = await upload(lecture, file);
      if (transfer) show(transfer);
      else await idle(await otherFile());
    } catch (error) {
      await idle(notice('bad', 'alert', error instanceof Error ? error.message : String(error)));
    }
  }

  async function otherFile() {
    const before = await interrupted(lecture).catch(() => null);
    const kept = before && before !== 'gone' ? before.kept : null;
    return notice('bad', 'alert', t('upload.other', { name: kept?.name ?? '', size: bytes(kept?.size ?? 0) }));
  }

  /** @param {import('./transfer.js').Transfer} transfer */
  function show(transfer) {
    const title = h('p', { class: 'recording-title', role: 'status' });
    const bar = h('div', { class: 'bar often', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100, label: 'upload.title' }, h('span'));
    const numbers = h('p', { class: 'small muted numbers' });
    const problem = h('div', { role: 'alert' });
    const toggle = h('button', { class: 'button slim', type: 'button', onclick: () => act() });
    const end = actionButton('upload.abort', 'slim danger', async () => {
      await discard(lecture);
      await idle();
    });
    const act = () => {
      if (transfer.state === 'expired') askAgain();
      else if (transfer.active) transfer.pause();
      else transfer.start();
    };
    const draw = () => {
      const { state, file } = transfer;
      const share = file.size ? transfer.sent / file.size : 0;
      const key = { sending: 'upload.sending', paused: 'upload.paused', waiting: 'upload.waiting', expired: 'upload.expired', completing: 'upload.completing', completed: 'upload.completing', failed: 'upload.failed' }[state];
      const text = t(key, { name: file.name });
      if (title.textContent !== text) title.textContent = text;
      bar.style.setProperty('--done', String(share));
      bar.setAttribute('aria-valuenow', String(Math.floor(share * 100)));
      const rate = state === 'sending' ? transfer.rate.value : null;
      numbers.textContent = [
        percent(share), t('upload.numbers', { sent: bytes(transfer.sent), total: bytes(file.size) }),
        rate ? t('upload.rate', { rate: bytes(rate), left: spell(Math.max(1, (file.size - transfer.sent) / rate)) }) : '',
      ].filter(Boolean).join(' · ');
      toggle.textContent = t(state === 'expired' ? 'studio.enter' : transfer.active ? 'upload.pause' : 'upload.resume');
      toggle.hidden = state === 'completing';
      end.hidden = state === 'completing';
      fill(problem, state === 'failed' ? notice('bad', 'alert', transfer.problem) : null);
    };
    transfer.addEventListener('change', () => {
      if (signal.aborted) return;
      if (transfer.state === 'completed') {
        fill(root);
        onCompleted();
      } else draw();
    });
    draw();
    fill(root, title, bar, numbers, problem, h('div', { class: 'actions' }, toggle, end));
  }

  const running = transferOf(lecture);
  if (running) show(running);
  return {
    recording(state) {
      const changed = state !== recording;
      recording = state;
      if ((changed || !asked) && !transferOf(lecture)) idle();
      asked = true;
    },
  };
}
