/** The token of whoever signed in. It lives as long as the browser tab and is sent nowhere but to this API. */

const KEY = 'academy.token';

/** Dispatches `expired` when the API refuses the token in use, and `renewed` after somebody has signed in. */
export const session = new EventTarget();

/** @type {string | null} */
let lent = null;
/** Whether somebody at this page can have another token; there is only one of an invitation. */
let renewable = true;

/** Uses another token on this page only: an invitation's, beside whoever is signed in. @param {string} value */
export function lend(value) {
  lent = value;
  renewable = false;
}

/** @returns {string | null} */
export function token() {
  if (!renewable) return lent;
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** @param {string} value */
export function signIn(value) {
  sessionStorage.setItem(KEY, value);
  session.dispatchEvent(new Event('renewed'));
}

/** Asks for another token, on pages that do. */
export const askAgain = () => session.dispatchEvent(new Event('expired'));

/**
 * Waits for another token than the one that was refused.
 * @param {string | null} refused @param {AbortSignal} signal @param {() => void} [onWait]
 * @returns {Promise<boolean>} false when this page can have no other
 */
export async function renewal(refused, signal, onWait = () => {}) {
  if (!renewable) return false;
  while (!token() || token() === refused) {
    signal.throwIfAborted();
    onWait();
    await new Promise((resolve, reject) => {
      session.addEventListener('renewed', resolve, { once: true });
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }
  return true;
}

export function signOut() {
  if (!renewable) lent = null;
  else sessionStorage.removeItem(KEY);
}

/**
 * What the token says of itself, unverified: for display only, the API decides.
 * @returns {{name: string, printed: string | null, roles: string[]} | null} `printed`: a person's name, if there is one
 */
export function claims() {
  try {
    const part = (token() ?? '').split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(atob(part), (char) => char.charCodeAt(0));
    const body = JSON.parse(new TextDecoder().decode(bytes));
    return { name: body.name ?? body.sub ?? '', printed: body.name ?? null, roles: body.roles ?? [] };
  } catch {
    return null;
  }
}
