/** How far a recording is, what inspection found in it, and why it failed. */
import { call } from '../api.js';
import { fill, h } from '../dom.js';
import { percent, spell } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { ended, follow } from './events.js';
import { actionButton, notice } from './parts.js';

/** @type {Record<'info' | 'warning' | 'error', ['info' | 'warn' | 'bad', string]>} */
const LOOKS = { info: ['info', 'info'], warning: ['warn', 'alert'], error: ['bad', 'alert'] };

/**
 * Follows the lecture's newest recording in `root`.
 * @param {HTMLElement} root @param {string} lecture @param {AbortSignal} signal
 * @param {() => Promise<void>} onEnd @param {(state: string | null) => void} onState
 */
export async function recordingPanel(root, lecture, signal, onEnd, onState) {
  let before = '';
  const panel = { title: h('p', { class: 'recording-title', role: 'status' }), bar: h('div', { class: 'bar', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100, label: 'upload.title' }, h('span')),
    numbers: h('p', { class: 'small muted numbers' }), rest: h('div', { class: 'studio-stack' }) };
  try {
    await follow(lecture, (recording) => {
      onState(recording?.state ?? null);
      if (!recording) {
        fill(root);
        return;
      }
      if (!root.contains(panel.title)) fill(root, panel.title, panel.bar, panel.numbers, panel.rest);
      show(panel, recording);
      const kind = `${recording.state}${JSON.stringify(recording.inspection?.findings ?? [])}${recording.failure?.code ?? ''}`;
      if (kind !== before) {
        before = kind;
        const again = () => recordingPanel(root, lecture, signal, onEnd, onState);
        fill(panel.rest, details(recording), buttons(recording, lecture, again));
        if (ended(recording)) onEnd().catch(() => {});
      }
    }, signal);
  } catch (error) {
    if (!signal.aborted) fill(root, notice('bad', 'alert', error instanceof Error ? error.message : String(error)));
  }
}

/** @param {Record<string, any>} panel @param {import('../types.js').Recording} recording */
function show(panel, recording) {
  const { state, progress, speed, eta } = recording;
  if (panel.title.dataset.state !== state) {
    panel.title.dataset.state = state;
    fill(panel.title, icon({ succeeded: 'check', failed: 'alert' }[/** @type {string} */ (state)] ?? 'clock'), t(`recording.${state}`));
  }
  panel.bar.hidden = ended(recording);
  panel.bar.style.setProperty('--done', String(progress));
  panel.bar.setAttribute('aria-valuenow', String(Math.floor(progress * 100)));
  panel.numbers.hidden = state !== 'running';
  panel.numbers.textContent = [
    percent(progress),
    speed ? t('recording.speed', { speed: speed.toFixed(1) }) : '',
    eta ? t('recording.left', { left: spell(Math.max(1, eta)) }) : '',
  ].filter(Boolean).join(' · ');
}

/** @param {import('../types.js').Recording} recording */
function details(recording) {
  const findings = recording.inspection?.findings ?? [];
  return [
    recording.failure ? notice('bad', 'alert', recording.failure.message) : null,
    findings.length ? h('h3', { t: 'recording.findings' }) : null,
    ...findings.map((finding) => {
      const [kind, name] = LOOKS[finding.severity];
      return notice(kind, name, finding.message);
    }),
  ];
}

/** @param {import('../types.js').Recording} recording @param {string} lecture @param {() => void} again */
function buttons(recording, lecture, again) {
  /** @param {string} action */
  const send = (action) => async () => {
    await call('POST', `/v1/lectures/${lecture}/recording/${action}`);
    if (action === 'retry') again(); // a stopped one is told by the events that are being followed
  };
  if (recording.state === 'failed' || recording.state === 'cancelled') return actionButton('recording.retry', 'slim', send('retry'));
  if (recording.state === 'queued' || recording.state === 'running') return actionButton('recording.cancel', 'slim danger', send('cancel'));
  return null;
}
