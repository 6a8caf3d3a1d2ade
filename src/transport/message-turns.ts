/** Messages of one socket, and of all sockets, that start in one turn of the event loop. */
const MAX_MESSAGES = { perSocket: 64, total: 128 };
/** Cost of the operations of one socket, and of all sockets, that start in one turn. The unit is that of `maxCost`. */
const MAX_COST = { perSocket: 1_000, total: 4_000 };
/** Waiting messages at which a socket is no longer read, so that the rest stays with its peer. */
const PAUSE_AT = 64;

/** A socket that can stop reading. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/**
 * Divides the messages of sockets among turns of the event loop. `ws` emits every message of a received chunk in one turn
 * and Node.js reads up to 2 MB in one, so without a limit one socket delays all other work by seconds.
 */
export class MessageTurns {
  #number = 0;
  #messages = 0;
  #cost = 0;
  #isScheduled = false;
  /** Lanes with waiting messages, in the order in which they are served. */
  #waiting: MessageLane[] = [];

  /** The number of this turn. Starts a turn unless one is running. */
  get number(): number {
    this.#schedule();
    return this.#number;
  }

  get isUsedUp(): boolean {
    return this.#messages >= MAX_MESSAGES.total || this.#cost >= MAX_COST.total;
  }

  count(messages: number, cost: number): void {
    this.#messages += messages;
    this.#cost += cost;
  }

  /** Serves the lane in the next turn. */
  enqueue(lane: MessageLane): void {
    this.#waiting.push(lane);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#next());
  }

  /** One message of each lane in rotation, until the turn is used up. */
  #next(): void {
    this.#isScheduled = false;
    this.#number++;
    this.#messages = 0;
    this.#cost = 0;
    const waiting = this.#waiting;
    /** Lanes that have used up their share of this turn. */
    const later: MessageLane[] = [];
    let index = 0;
    for (; index < waiting.length && !this.isUsedUp; index++) {
      const lane = waiting[index];
      if (lane === undefined || lane.isUsedUp) {
        if (lane) later.push(lane);
      } else if (lane.runNext()) waiting.push(lane);
    }
    // The lanes that this turn has not reached are first in the next one.
    this.#waiting = [...waiting.slice(index), ...later];
    if (this.#waiting.length > 0) this.#schedule();
  }
}

/** The messages of one socket, which start in their order. */
export class MessageLane {
  readonly #turns: MessageTurns;
  readonly #socket: Pausable;
  /** Undefined while no message waits, to save memory for each socket. */
  #waiting: (() => void)[] | undefined;
  #isPaused = false;
  #turn = -1;
  #messages = 0;
  #cost = 0;

  constructor(turns: MessageTurns, socket: Pausable) {
    this.#turns = turns;
    this.#socket = socket;
  }

  get isUsedUp(): boolean {
    this.#enterTurn();
    return this.#messages >= MAX_MESSAGES.perSocket || this.#cost >= MAX_COST.perSocket;
  }

  /** Runs the work now, or in a later turn when this turn is used up or earlier work still waits. */
  run(work: () => void): void {
    if (!this.#waiting && !this.isUsedUp && !this.#turns.isUsedUp) return this.#start(work);
    if (this.#waiting) this.#waiting.push(work);
    else {
      this.#waiting = [work];
      this.#turns.enqueue(this);
    }
    if (this.#isPaused || this.#waiting.length < PAUSE_AT) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** Adds the cost of the operation that was started last. */
  charge(cost: number): void {
    this.#enterTurn();
    this.#cost += cost;
    this.#turns.count(0, cost);
  }

  /** Runs the work that has waited longest. Returns whether more is waiting. */
  runNext(): boolean {
    const waiting = this.#waiting;
    const work = waiting?.shift();
    const isLast = !waiting || waiting.length === 0;
    if (isLast) this.#waiting = undefined;
    if (isLast && this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    }
    if (work) this.#start(work);
    return !isLast;
  }

  /** Drops the waiting messages of a closed socket. */
  clear(): void {
    if (this.#waiting) this.#waiting.length = 0;
  }

  #start(work: () => void): void {
    this.#enterTurn();
    this.#messages++;
    this.#turns.count(1, 0);
    work();
  }

  #enterTurn(): void {
    const { number } = this.#turns;
    if (this.#turn === number) return;
    this.#turn = number;
    this.#messages = 0;
    this.#cost = 0;
  }
}
