/**
 * One upload: missing parts go to storage, some at a time, each tried again on its own; then it is completed.
 * Knows nothing of the page. Dispatches `change` whenever there is something new to show.
 */
import { ApiError, call } from '../api.js';
import { t } from '../i18n.js';
import { digest } from './digest.js';
import { put, PutError } from './put.js';
import { Rate } from './rate.js';

const LANES = 6; // parts on their way at once: what browsers open to one origin (HTTP/1.1)
const FEW = 2; // on a slow line, where a break would cost the beginnings of many
const PART_TIME = 300_000; // milliseconds one part should take at most, while more than few are on their way
const LINK_LIFE = 50 * 60_000; // milliseconds; links are valid for an hour
const TRIES = 8; // failures of one part in a row until the upload gives up
const LONGEST_PAUSE = 30_000; // milliseconds

/** @typedef {'sending' | 'paused' | 'waiting' | 'completing' | 'completed' | 'failed'} TransferState */

export class Transfer extends EventTarget {
  /**
   * @param {File} file @param {{id: string, part_size: number, part_count: number}} plan
   * @param {boolean} fresh just begun: nothing can have arrived yet
   */
  constructor(file, plan, fresh = false) {
    super();
    this.file = file;
    this.plan = plan;
    this.fresh = fresh;
    /** @type {TransferState} */
    this.state = 'paused';
    this.problem = '';
    this.rate = new Rate();
    /** @type {Set<number>} */
    this.arrived = new Set();
    /** @type {Map<number, number>} bytes sent of parts on their way */
    this.moving = new Map();
    this.untold = 0; // the timer, while something changed that is not told yet
    /** @type {Map<number, Promise<{signed: import('../types.js').SignedPart, at: number}>>} */
    this.links = new Map();
    this.run = new AbortController();
  }

  /** Bytes that have been sent, parts on their way included. */
  get sent() {
    let sum = 0;
    for (const number of this.arrived) sum += this.sizeOf(number);
    for (const bytes of this.moving.values()) sum += bytes;
    return Math.min(sum, this.file.size);
  }

  get active() {
    return ['sending', 'waiting', 'completing'].includes(this.state);
  }

  /** @param {number} number from 1 */
  sizeOf(number) {
    const { part_size: size, part_count: count } = this.plan;
    return number < count ? size : this.file.size - size * (count - 1);
  }

  /** Asks what has arrived, sends the rest, completes. */
  async start() {
    if (this.active) return;
    this.run = new AbortController();
    this.links.clear();
    const { signal } = this.run;
    this.problem = '';
    this.#become('sending');
    try {
      for (let round = 0; ; round += 1) {
        if (!this.fresh) await this.#look(signal);
        this.fresh = false;
        await this.#sendMissing(signal);
        this.#become('completing');
        if (await this.#complete(round)) break;
        this.#become('sending');
      }
      this.#become('completed');
    } catch (error) {
      if (signal.aborted) return; // paused or discarded: the state says so already
      this.run.abort();
      this.problem = error instanceof Error ? error.message : String(error);
      this.#become('failed');
    }
  }

  pause() {
    if (this.state === 'completing') return;
    this.run.abort();
    this.moving.clear();
    this.#become('paused');
  }

  /** Gives the upload up, here and in storage. */
  async discard() {
    this.run.abort();
    await call('DELETE', `/v1/uploads/${this.plan.id}`);
  }

  /** @param {AbortSignal} signal */
  async #look(signal) {
    /** @type {import('../types.js').UploadStatus} */
    const status = await call('GET', `/v1/uploads/${this.plan.id}`, { signal });
    if (status.state === 'aborted' || status.state === 'expired') throw new Error(t('upload.gone'));
    const whole = status.parts.filter((part) => part.size === this.sizeOf(part.number));
    this.arrived = new Set(status.state === 'open' ? whole.map((part) => part.number) : this.#numbers());
    this.#changed();
  }

  #numbers() {
    return Array.from({ length: this.plan.part_count }, (_, index) => index + 1);
  }

  /** @param {AbortSignal} signal */
  async #sendMissing(signal) {
    const missing = this.#numbers().filter((number) => !this.arrived.has(number));
    const lane = async () => {
      for (let number = missing.shift(); number !== undefined; number = missing.shift()) {
        await this.#send(number, missing, signal);
      }
    };
    const begun = { at: performance.now(), sent: this.sent };
    let opened = 0;
    let busy = 0;
    // One lane that gives up ends the others too.
    await new Promise((resolve, reject) => {
      const open = () => {
        const wanted = this.#lanes(begun);
        for (; missing.length && opened < wanted; opened += 1) {
          busy += 1;
          lane().then(() => (busy -= 1) || resolve(null), reject);
        }
      };
      open();
      if (!busy) resolve(null);
      this.addEventListener('change', open, { signal });
    });
  }

  /** As many as let a part arrive in time. @param {{at: number, sent: number}} begun */
  #lanes(begun) {
    const sent = this.sent - begun.sent;
    if (sent < this.plan.part_size / 4) return FEW; // what the system's buffers have taken says nothing
    const rate = sent / (performance.now() - begun.at);
    return Math.max(FEW, Math.min(LANES, Math.floor((rate * PART_TIME) / this.plan.part_size)));
  }

  /** @param {number} number @param {number[]} next @param {AbortSignal} signal */
  async #send(number, next, signal) {
    const bytes = this.#bytes(number);
    for (let failures = 0; ; ) {
      signal.throwIfAborted();
      try {
        const signed = await this.#link(number, signal);
        // While this part goes out, the next one is read, hashed and signed.
        if (next.length) this.#prepared(next[0], signal).catch(() => this.links.delete(next[0]));
        await put(signed, bytes, (sent) => this.#moved(number, sent), signal);
        this.moving.delete(number);
        this.arrived.add(number);
        this.#changed();
        return;
      } catch (error) {
        this.moving.delete(number);
        signal.throwIfAborted();
        if (!navigator.onLine) {
          await this.#untilOnline(signal);
          continue;
        }
        failures += 1;
        this.#judge(error, number, failures);
        this.links.delete(number);
        await pause(Math.min(LONGEST_PAUSE, 500 * 2 ** failures) * (0.75 + Math.random() / 2), signal);
      }
    }
  }

  /** Throws when trying again is no use. @param {unknown} error @param {number} number @param {number} failures */
  #judge(error, number, failures) {
    if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
    if (failures < TRIES) return;
    throw error instanceof PutError ? new Error(t('upload.part', { number, status: error.status })) : error;
  }

  /** @param {number} number */
  #bytes(number) {
    const from = (number - 1) * this.plan.part_size;
    return this.file.slice(from, from + this.sizeOf(number));
  }

  /** @param {number} number @param {AbortSignal} signal */
  async #link(number, signal) {
    const known = await this.#prepared(number, signal);
    if (Date.now() - known.at < LINK_LIFE) return known.signed;
    this.links.delete(number);
    return (await this.#prepared(number, signal)).signed;
  }

  /** A link that takes these very bytes and no others. @param {number} number @param {AbortSignal} signal */
  #prepared(number, signal) {
    const known = this.links.get(number);
    if (known) return known;
    const preparing = this.#prepare(number, signal);
    this.links.set(number, preparing);
    return preparing;
  }

  /** @param {number} number @param {AbortSignal} signal */
  async #prepare(number, signal) {
    const md5 = await digest(this.#bytes(number));
    const body = { parts: [md5 ? { number, md5 } : { number }] };
    const answer = await call('POST', `/v1/uploads/${this.plan.id}/parts`, { body, signal });
    return { signed: answer.urls[0], at: Date.now() };
  }

  /** @param {AbortSignal} signal */
  async #untilOnline(signal) {
    this.#become('waiting');
    await new Promise((resolve) => {
      addEventListener('online', resolve, { once: true });
      signal.addEventListener('abort', resolve, { once: true });
    });
    signal.throwIfAborted();
    this.#become('sending');
  }

  /** False when the store lacks parts after all: they are sent again, once. @param {number} round */
  async #complete(round) {
    for (let tries = 0; ; tries += 1) {
      try {
        await call('POST', `/v1/uploads/${this.plan.id}/complete`);
        return true;
      } catch (error) {
        const status = error instanceof ApiError ? error.status : 0;
        if (status === 409 && round === 0) return false;
        // Completing is repeatable, so an answer that never came may be asked for again.
        if ((status !== 0 && status < 500) || tries >= TRIES) throw error;
        await pause(1000 * 2 ** Math.min(tries, 4), this.run.signal);
      }
    }
  }

  /** @param {number} number @param {number} bytes */
  #moved(number, bytes) {
    this.moving.set(number, bytes);
    // Six parts tell it twenty times a second each: drawn as often, the bar would cost more than the bytes.
    this.untold ||= setTimeout(() => this.#changed(), 250);
  }

  /** @param {TransferState} state */
  #become(state) {
    this.state = state;
    if (state === 'sending') this.rate = new Rate();
    this.#changed();
  }

  #changed() {
    clearTimeout(this.untold);
    this.untold = 0;
    this.rate.note(this.sent);
    this.dispatchEvent(new Event('change'));
  }
}

/** @param {number} milliseconds @param {AbortSignal} signal */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
