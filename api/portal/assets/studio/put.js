/** Sends one part to storage. XMLHttpRequest, since fetch does not tell how much has been sent. */

const SILENCE = 60_000; // milliseconds without a byte going out until a part is given up and tried again

export class PutError extends Error {
  /** @param {number} status 0 when there was no answer */
  constructor(status) {
    super(`The storage answered ${status}.`);
    this.status = status;
  }
}

/**
 * @param {import('../types.js').SignedPart} signed
 * @param {Blob} bytes
 * @param {(sent: number) => void} onSent
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function put(signed, bytes, onSent, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = 0;
    const fail = () => {
      clearTimeout(timer);
      reject(new PutError(request.status));
    };
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), SILENCE);
    };
    request.open(signed.method, signed.url);
    for (const [name, value] of Object.entries(signed.headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      alive();
      onSent(event.loaded);
    };
    request.onload = () => {
      clearTimeout(timer);
      if (request.status >= 200 && request.status < 300) resolve();
      else fail();
    };
    request.onerror = fail;
    request.onabort = fail;
    if (signal.aborted) {
      fail();
      return;
    }
    signal.addEventListener('abort', () => request.abort(), { once: true });
    alive();
    request.send(bytes);
  });
}
