/** How fast bytes go out, over the last seconds: an average since the start would hide what the network does now. */

const WINDOW = 10_000; // milliseconds
const SETTLE = 1500; // milliseconds of samples before a rate means anything

export class Rate {
  constructor() {
    /** @type {{at: number, sent: number}[]} */
    this.samples = [];
  }

  /** @param {number} sent bytes in all */
  note(sent) {
    const at = performance.now();
    this.samples.push({ at, sent });
    while (this.samples.length > 2 && this.samples[0].at < at - WINDOW) this.samples.shift();
  }

  /** Bytes per second, or null while unknown. */
  get value() {
    const first = this.samples[0];
    const last = this.samples[this.samples.length - 1];
    if (!first || last.at - first.at < SETTLE || last.sent <= first.sent) return null;
    return ((last.sent - first.sent) / (last.at - first.at)) * 1000;
  }
}
