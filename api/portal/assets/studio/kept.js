/** Unfinished uploads that this browser remembers, and how it knows the same file again. */
import { recall, remember } from '../memory.js';

const KEY = 'academy.uploads';
const SAMPLE = 1024 * 1024; // bytes at each end of a file that make its fingerprint

/**
 * @typedef {{name: string, size: number, modified: number, print: string | null}} Identity
 * @typedef {Identity & {id: string, part_size: number, part_count: number, expires_at: string}} Kept
 */

/** @returns {Record<string, Kept>} by lecture */
const all = () => recall(KEY) ?? {};

/** @param {string} lecture @returns {Kept | null} */
export function keptUpload(lecture) {
  const kept = all()[lecture];
  return kept && Date.parse(kept.expires_at) > Date.now() ? kept : null;
}

/** @param {string} lecture @param {Kept | null} kept null forgets */
export function keepUpload(lecture, kept) {
  const uploads = all();
  if (kept) uploads[lecture] = kept;
  else delete uploads[lecture];
  remember(KEY, uploads);
}

/** @param {File} file @returns {Promise<Identity>} */
export async function identify(file) {
  return { name: file.name, size: file.size, modified: file.lastModified, print: await fingerprint(file) };
}

/** SHA-256 of both ends, or null on insecure origins, which have no digests. @param {File} file */
async function fingerprint(file) {
  if (!crypto.subtle) return null;
  const ends = new Blob([file.slice(0, SAMPLE), file.slice(Math.max(0, file.size - SAMPLE))]);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await ends.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A renamed copy is the same file, an edited one is not. @param {Identity} a @param {Identity} b */
export function same(a, b) {
  if (a.size !== b.size) return false;
  return a.print && b.print ? a.print === b.print : a.name === b.name && a.modified === b.modified;
}
