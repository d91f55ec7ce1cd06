/** Links that take the bytes of one run of parts and no others: hashed and signed once, ahead of their turn if there is time. */
import { call } from '../api.js';
import { digest } from './digest.js';

const LIFE = 50 * 60_000; // milliseconds; links are valid for an hour

/** @typedef {import('./lane.js').Run} Run */

export class Links {
  /** @param {string} upload @param {(run: Run) => Blob} bytesOf */
  constructor(upload, bytesOf) {
    this.upload = upload;
    this.bytesOf = bytesOf;
    /** @type {Map<string, Promise<{signed: import('../types.js').SignedPart, at: number}>>} */
    this.known = new Map();
  }

  /** @param {Run} run */
  has(run) {
    return this.known.has(name(run));
  }

  /** @param {Run} run */
  forget(run) {
    this.known.delete(name(run));
  }

  clear() {
    this.known.clear();
  }

  /** @param {Run} run @param {AbortSignal} signal */
  async of(run, signal) {
    const link = await this.#made(run, signal);
    if (Date.now() - link.at < LIFE) return link.signed;
    this.forget(run);
    return (await this.#made(run, signal)).signed;
  }

  /** @param {Run} run @param {AbortSignal} signal */
  prepare(run, signal) {
    this.#made(run, signal).catch(() => {});
  }

  /** One that fails is forgotten, and made anew when it is wanted. @param {Run} run @param {AbortSignal} signal */
  #made(run, signal) {
    const known = this.known.get(name(run));
    if (known) return known;
    const making = this.#make(run, signal);
    this.known.set(name(run), making);
    making.catch(() => this.forget(run));
    return making;
  }

  /** @param {Run} run @param {AbortSignal} signal */
  async #make(run, signal) {
    const md5 = await digest(this.bytesOf(run));
    const body = { parts: [md5 ? { ...run, md5 } : run] };
    const answer = await call('POST', `/v1/uploads/${this.upload}/parts`, { body, signal });
    return { signed: answer.urls[0], at: Date.now() };
  }
}

/** @param {Run} run */
function name({ number, count }) {
  return `${number}+${count}`;
}
