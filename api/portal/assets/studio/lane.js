/**
 * How many neighbouring parts one request carries. A request costs the store some time whatever it carries; a break
 * costs what was under way. So a lane begins with single parts and takes more only as its own measured rate lets
 * them arrive soon. `academy/commands/lanes.py` does the same.
 */

/** @typedef {{number: number, count: number}} Run neighbouring parts that one request carries, and the first one's number */

export const LANES = 6; // requests under way at once: what browsers open to one origin (HTTP/1.1)
const MOST_BYTES = 32 * 1024 * 1024; // of one request; above that, a request more no longer shows
const LONGEST = 20_000; // milliseconds one request should take at most
const SHORT = 2000; // milliseconds; what goes out in so short a time needs no sharing with other lanes

export class Lane {
  /** @param {number} partSize */
  constructor(partSize) {
    this.partSize = partSize;
    this.most = Math.max(1, Math.floor(MOST_BYTES / partSize)); // parts it may ever take together
    this.rate = 0; // bytes per millisecond of the last request; 0 before the first, and after one that failed
  }

  /** How many the next request carries. @param {number} waiting parts that have no lane yet */
  takes(waiting) {
    const within = (/** @type {number} */ time) => Math.floor((this.rate * time) / this.partSize);
    const share = Math.max(Math.ceil(waiting / LANES), within(SHORT));
    return Math.max(1, Math.min(this.most, share, within(LONGEST)));
  }

  /** @param {number} bytes @param {number} milliseconds */
  arrived(bytes, milliseconds) {
    this.rate = bytes / Math.max(milliseconds, 0.001);
  }

  /** So many together were too many for this line. @param {number} count parts on their way */
  broke(count) {
    this.rate = 0;
    if (count > 1) this.most = Math.min(this.most, Math.floor(count / 2));
  }
}

/**
 * Numbers of parts that no lane has taken yet. What arrived and is to be sent again is the first of its request, so that
 * it is replaced.
 */
export class Waiting {
  /** @param {number[]} numbers in order @param {Set<number>} arrived under which the store has something */
  constructor(numbers, arrived) {
    this.numbers = numbers;
    this.arrived = arrived;
    this.filled = () => {}; // called when parts have come back
  }

  get size() {
    return this.numbers.length;
  }

  /** As many as the lane takes; fewer if those have a link already. @param {Lane} lane @param {{has(run: Run): boolean}} links @returns {Run} */
  next(lane, links) {
    const [number] = this.numbers;
    const most = lane.takes(this.size);
    let count = 1;
    while (count < most && this.numbers[count] === number + count && !this.arrived.has(number + count)) count += 1;
    for (let fewer = count; fewer > 0; fewer -= 1) {
      if (links.has({ number, count: fewer })) return { number, count: fewer };
    }
    return { number, count };
  }

  /** @param {Lane} lane @param {{has(run: Run): boolean}} links @returns {Run} */
  take(lane, links) {
    const run = this.next(lane, links);
    this.numbers.splice(0, run.count);
    return run;
  }

  /** @param {number} number @param {number} count */
  giveBack(number, count) {
    this.numbers.push(...Array.from({ length: count }, (_, index) => number + index));
    this.numbers.sort((one, other) => one - other);
    this.filled();
  }
}

/**
 * Works in LANES lanes at a time, as long as parts wait; one lane that gives up ends the waiting for the others. A lane
 * that found nothing left has ended: what is given back after that opens another.
 * @param {Waiting} waiting @param {() => Promise<void>} work takes from `waiting` before anything else, until nothing is there
 * @returns {Promise<void>}
 */
export function inLanes(waiting, work) {
  return new Promise((resolve, reject) => {
    let open = 0;
    const end = () => {
      open -= 1;
      if (open === 0) resolve();
    };
    waiting.filled = () => {
      for (; open < LANES && waiting.size; open += 1) work().then(end, reject);
      if (open === 0) resolve();
    };
    waiting.filled();
  });
}
