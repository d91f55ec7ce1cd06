/** Uploads of this tab, by lecture: they go on while the instructor looks at other pages of the studio. */
import { call, get } from '../api.js';
import { t } from '../i18n.js';
import { digest, prepareDigests } from './digest.js';
import { identify, keepUpload, keptUpload, same } from './kept.js';
import { Transfer } from './transfer.js';

/** @type {Map<string, Transfer>} */
const transfers = new Map();

/** @param {string} lecture */
export const transferOf = (lecture) => transfers.get(lecture) ?? null;

/**
 * Begins an upload, or goes on with the one this browser remembers if it is the same file, or with one of
 * the same file that was begun on another machine.
 * @param {string} lecture @param {File} file
 * @returns {Promise<Transfer | null>} null when another file is needed to go on
 */
export async function upload(lecture, file) {
  if (file.size === 0) throw new Error(t('upload.empty'));
  const identity = await identify(file);
  const kept = keptUpload(lecture);
  if (kept && !same(kept, identity)) return null;
  prepareDigests();
  const known = kept ?? (await begunElsewhere(lecture, file));
  const plan = known ?? (await begin(lecture, file));
  if (!kept) keepUpload(lecture, { ...identity, ...plan });
  const transfer = new Transfer(file, plan, !known);
  transfers.set(lecture, transfer);
  transfer.addEventListener('change', () => {
    if (transfer.state !== 'completed') return;
    keepUpload(lecture, null);
    transfers.delete(lecture);
  });
  transfer.start();
  return transfer;
}

/** @param {string} lecture @param {File} file @returns {Promise<import('../types.js').UploadPlan>} */
async function begin(lecture, file) {
  const body = { filename: file.name, size: file.size, content_type: file.type || 'application/octet-stream' };
  const { id, part_size, part_count, expires_at } = await call('POST', `/v1/lectures/${lecture}/uploads`, { body });
  return { id, part_size, part_count, expires_at };
}

/** @param {string} lecture @param {File} file @returns {Promise<import('../types.js').UploadPlan | null>} */
async function begunElsewhere(lecture, file) {
  /** @type {{items: (import('../types.js').UploadPlan & {size: number})[]}} */
  const { items } = await get(`/v1/lectures/${lecture}/uploads`);
  for (const { id, part_size, part_count, expires_at, size } of items) {
    if (size !== file.size) continue;
    /** @type {import('../types.js').UploadStatus} */
    const { parts } = await call('GET', `/v1/uploads/${id}`);
    if (parts.length && (await holds(file, part_size, parts))) return { id, part_size, part_count, expires_at };
  }
  return null;
}

/**
 * Whether every part that arrived is of this file: stores name a part by the MD5 of its bytes. (One that
 * does not costs a new upload, nothing else.)
 * @param {File} file @param {number} planned bytes of a part @param {import('../types.js').UploadStatus['parts']} parts
 */
async function holds(file, planned, parts) {
  for (const { number, size, etag } of parts) {
    const start = (number - 1) * planned; // a wider one stands for its neighbours, too
    const md5 = await digest(file.slice(start, start + size));
    if (!md5 || hex(md5) !== etag) return false;
  }
  return true;
}

/** @param {string} base64 */
const hex = (base64) => Array.from(atob(base64), (each) => each.charCodeAt(0).toString(16).padStart(2, '0')).join('');

/** Gives up what is under way or remembered. @param {string} lecture */
export async function discard(lecture) {
  const transfer = transfers.get(lecture);
  const id = transfer?.plan.id ?? keptUpload(lecture)?.id;
  transfers.delete(lecture);
  keepUpload(lecture, null);
  if (transfer) await transfer.discard();
  else if (id) await call('DELETE', `/v1/uploads/${id}`);
}

/**
 * How far the remembered upload got; null when there is none, or when it can go on no more.
 * @param {string} lecture
 * @returns {Promise<{kept: import('./kept.js').Kept, share: number} | 'gone' | null>}
 */
export async function interrupted(lecture) {
  const kept = keptUpload(lecture);
  if (!kept) return null;
  /** @type {import('../types.js').UploadStatus | null} */
  const status = await call('GET', `/v1/uploads/${kept.id}`).catch((error) => (error.status === 404 || error.status === 410 ? null : Promise.reject(error)));
  if (!status || status.state === 'aborted' || status.state === 'expired') {
    keepUpload(lecture, null);
    return 'gone';
  }
  if (status.state !== 'open') {
    // Every byte arrived and only the answer was lost: completing is repeatable.
    await call('POST', `/v1/uploads/${kept.id}/complete`);
    keepUpload(lecture, null);
    return null;
  }
  return { kept, share: status.parts.reduce((sum, part) => sum + part.size, 0) / kept.size };
}

addEventListener('beforeunload', (event) => {
  if ([...transfers.values()].some((transfer) => transfer.active)) event.preventDefault();
});
