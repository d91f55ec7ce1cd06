/** Calls to the API. A failure is an `ApiError` whose message is a sentence for the person at the screen. */
import { has, language, reading, t } from './i18n.js';
import { askAgain, signOut, token } from './session.js';

const TIMEOUT = 30_000; // milliseconds
const PAUSES = [600, 2000]; // milliseconds before a read is tried again

export class ApiError extends Error {
  /**
   * @param {number} status 0 when no answer came
   * @param {any} problem RFC 9457 document, or null
   * @param {string | null} bearer the token it was asked with
   */
  constructor(status, problem, bearer = null) {
    super(sentence(status, problem));
    this.status = status;
    this.problem = problem;
    this.bearer = bearer;
  }
}

/** @param {number} status @param {any} problem */
function sentence(status, problem) {
  const code = String(problem?.code ?? problem?.type ?? '').split(/[/:#]/).pop() ?? '';
  const known = [`problem.${code}`, `problem.${status}`].find(has);
  const detail = [problem?.detail, ...(problem?.errors ?? []).map((/** @type {any} */ e) => `${e.pointer}: ${e.detail}`)]
    .filter(Boolean)
    .join(' ');
  if (language() === 'en' && detail) return detail;
  const text = known ? t(known) : t('problem.other', { status });
  // Details come in English: shown behind a Chinese sentence, they still help whoever is asked for help.
  return detail && status !== 404 && status !== 401 ? `${text}（${detail}）` : text;
}

/**
 * @param {string} method
 * @param {string} path from the root, such as `/v1/courses`
 * @param {{body?: unknown, query?: Record<string, any>, signal?: AbortSignal, headers?: Record<string, string>}} [options]
 *   a `Blob` as body is sent as it is, anything else as JSON
 * @returns {Promise<any>} the JSON answer, or null when there is none
 */
export async function call(method, path, { body, query = {}, signal, headers = {} } = {}) {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') url.searchParams.set(name, String(value));
  }
  url.searchParams.set('lang', reading());
  const bearer = token();
  const file = body instanceof Blob;
  const init = {
    method,
    headers: {
      Accept: 'application/json',
      ...(body === undefined ? {} : { 'Content-Type': file ? body.type || 'text/plain' : 'application/json' }),
      ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}),
      ...headers,
    },
    body: file ? body : JSON.stringify(body),
  };
  const answer = await send(url, init, signal);
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  if (answer.status === 401) {
    const present = bearer === token(); // and not the one before, whose answer comes late
    const open = Boolean(bearer) && method === 'GET' && !path.startsWith('/v1/me/');
    if (present && open) signOut(); // an expired token must not hide what everybody may read
    if (present) askAgain();
    if (open) {
      return call(method, path, { body, query, signal, headers }).catch(async (again) => {
        // To nobody in particular a draft is not there: to whoever wrote it the answer is to sign in.
        if (!(again instanceof ApiError) || ![401, 403, 404].includes(again.status) || token()) throw again;
        throw new ApiError(401, await answer.json().catch(() => null), bearer);
      });
    }
  }
  throw new ApiError(answer.status, await answer.json().catch(() => null), bearer);
}

/**
 * Reads are tried again when the network or a gateway fails; writes are not: whether they arrived is unknown.
 * @param {URL} url @param {RequestInit} init @param {AbortSignal | undefined} signal
 */
async function send(url, init, signal) {
  const pauses = init.method === 'GET' ? [...PAUSES] : [];
  for (;;) {
    const limit = AbortSignal.timeout(TIMEOUT);
    const pause = pauses.shift();
    try {
      const answer = await fetch(url, { ...init, signal: signal ? AbortSignal.any([signal, limit]) : limit });
      if (pause === undefined || ![502, 503, 504].includes(answer.status)) return answer;
    } catch (error) {
      if (signal?.aborted) throw error;
      if (pause === undefined) throw new ApiError(0, null);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** @param {string} path @param {Record<string, any>} [query] @param {AbortSignal} [signal] */
export const get = (path, query, signal) => call('GET', path, { query, signal });

/**
 * Creates things at `path`, each body once: pressing twice or a lost answer repeats the same request under
 * the same `Idempotency-Key`; a corrected body is another request and gets another key.
 * @param {string} path
 * @returns {(body: object) => Promise<any>}
 */
export function creator(path) {
  // crypto.randomUUID exists on secure origins only; a portal on a plain LAN address is not one.
  const mark = [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join('');
  /** @type {string[]} */
  const bodies = [];
  return (body) => {
    const text = JSON.stringify(body);
    if (!bodies.includes(text)) bodies.push(text);
    return call('POST', path, { body, headers: { 'Idempotency-Key': `${mark}-${bodies.indexOf(text)}` } });
  };
}
