/** The token of whoever signed in. It lives as long as the browser tab and is sent nowhere but to this API. */

const KEY = 'academy.token';

/** @type {string | null} */
let lent = null;

/** Uses another token on this page only: an invitation's, beside whoever is signed in. @param {string} value */
export const lend = (value) => void (lent = value);

/** @returns {string | null} */
export function token() {
  if (lent) return lent;
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** @param {string} value */
export const signIn = (value) => sessionStorage.setItem(KEY, value);

export function signOut() {
  if (lent) lent = null;
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
