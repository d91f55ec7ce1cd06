/**
 * One upload: missing parts go to storage, some at a time, each tried again on its own; then it is completed.
 * Knows nothing of the page. Dispatches `change` whenever there is something new to show.
 */
import { ApiError, call } from '../api.js';
import { t } from '../i18n.js';
import { renewal } from '../session.js';
import { inLanes, Lane, Waiting } from './lane.js';
import { Links } from './links.js';
import { pause } from './pause.js';
import { put, PutError } from './put.js';
import { Rate } from './rate.js';

const TRIES = 8; // failures of one part in a row until the upload gives up
const LONGEST_PAUSE = 30_000; // milliseconds

/** @typedef {import('./lane.js').Run} Run */
/** @typedef {'sending' | 'paused' | 'waiting' | 'expired' | 'completing' | 'completed' | 'failed'} TransferState */

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
    this.refused = false; // what it failed of is that the API no longer takes it
    this.rate = new Rate();
    /** @type {Set<number>} */
    this.arrived = new Set();
    /** @type {Map<number, number>} bytes sent of parts on their way, by the first of those together */
    this.moving = new Map();
    this.untold = 0; // the timer, while something changed that is not told yet
    /** @type {Set<number>} under which the store has something, right or wrong */
    this.there = new Set();
    this.links = new Links(plan.id, (run) => this.#bytes(run));
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
    return ['sending', 'waiting', 'expired', 'completing'].includes(this.state);
  }

  /** @param {number} number from 1 @param {number} count with the neighbours behind it */
  sizeOf(number, count = 1) {
    const size = this.plan.part_size;
    return Math.min(size * count, this.file.size - size * (number - 1));
  }

  /** Asks what has arrived, sends the rest, completes. */
  async start() {
    if (this.active) return;
    this.run = new AbortController();
    this.links.clear();
    const { signal } = this.run;
    this.problem = '';
    this.refused = false;
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
      this.refused = error instanceof ApiError && [401, 403, 404, 410].includes(error.status);
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
    const status = await this.#signedIn(() => call('GET', `/v1/uploads/${this.plan.id}`, { signal }), signal);
    if (status.state === 'aborted' || status.state === 'expired') throw new Error(t('upload.gone'));
    const missing = new Set(status.missing);
    this.there = new Set(status.parts.map((part) => part.number));
    this.arrived = new Set(this.#numbers().filter((number) => !missing.has(number)));
    this.#changed();
  }

  #numbers() {
    return Array.from({ length: this.plan.part_count }, (_, index) => index + 1);
  }

  /** @param {AbortSignal} signal */
  async #sendMissing(signal) {
    const waiting = new Waiting(this.#numbers().filter((number) => !this.arrived.has(number)), this.there);
    const work = async () => {
      const lane = new Lane(this.plan.part_size);
      while (waiting.size) await this.#send(waiting.take(lane, this.links), waiting, lane, signal);
    };
    await inLanes(waiting, work);
  }

  /**
   * Of several that failed all but the first go back; the first is tried again alone.
   * @param {Run} run @param {Waiting} waiting @param {Lane} lane @param {AbortSignal} signal
   */
  async #send(run, waiting, lane, signal) {
    const { number } = run;
    for (let failures = 0; ; ) {
      signal.throwIfAborted();
      try {
        const signed = await this.#signedIn(() => this.links.of(run, signal), signal);
        // While this goes out, what comes next is read, hashed and signed.
        if (waiting.size) this.links.prepare(waiting.next(lane, this.links), signal);
        const begun = performance.now();
        await put(signed, this.#bytes(run), (sent) => this.#moved(number, sent), signal);
        lane.arrived(this.sizeOf(number, run.count), performance.now() - begun);
        this.moving.delete(number);
        this.links.forget(run);
        for (let sent = 0; sent < run.count; sent += 1) this.arrived.add(number + sent);
        this.#changed();
        return;
      } catch (error) {
        this.moving.delete(number);
        signal.throwIfAborted();
        this.links.forget(run);
        lane.broke(run.count);
        waiting.giveBack(number + 1, run.count - 1);
        run = { number, count: 1 };
        if (!navigator.onLine) {
          await this.#untilOnline(signal);
          continue;
        }
        failures += 1;
        this.#judge(error, number, failures);
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

  /** @param {Run} run */
  #bytes({ number, count }) {
    const from = (number - 1) * this.plan.part_size;
    return this.file.slice(from, from + this.sizeOf(number, count));
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

  /**
   * Asks the API, and asks again when somebody has signed in anew; what needs no token goes on meanwhile.
   * @template T @param {() => Promise<T>} ask @param {AbortSignal} signal @returns {Promise<T>}
   */
  async #signedIn(ask, signal) {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 401) throw error;
        const before = this.state === 'expired' ? 'sending' : this.state;
        if (!(await renewal(error.bearer, signal, () => this.#become('expired')))) throw error;
        if (this.state === 'expired') this.#become(before);
      }
    }
  }

  /** False when the store lacks parts after all: they are sent again, once. @param {number} round */
  async #complete(round) {
    for (let tries = 0; ; tries += 1) {
      try {
        await this.#signedIn(() => call('POST', `/v1/uploads/${this.plan.id}/complete`), this.run.signal);
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
