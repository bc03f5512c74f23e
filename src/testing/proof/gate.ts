/**
 * What is between one collector and the world. While it is open, calls and answers pass at once; while the collector
 * is stopped they wait, in order; once it is dead they are dropped. News of the group waits while it is deaf, too.
 *
 * Bounds: everything that waits is kept.
 */
export class Gate {
  #state: 'open' | 'stopped' | 'dead' = 'open';
  #isDeaf = false;
  #isFlushing = false;
  #waiting: (() => void)[] = [];
  #news: (() => void)[] = [];

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isStopped(): boolean {
    return this.#state === 'stopped';
  }

  /** Whether the group reaches it. */
  get isHearing(): boolean {
    return this.#state === 'open' && !this.#isDeaf;
  }

  pass(action: () => void): void {
    if (this.#state === 'dead') return;
    if (this.#state === 'stopped' || this.#isFlushing) this.#waiting.push(action);
    else action();
  }

  hear(news: () => void): void {
    if (this.#state === 'dead') return;
    if (this.#isDeaf) this.#news.push(news);
    else this.pass(news);
  }

  stop(): void {
    if (this.#state === 'open') this.#state = 'stopped';
  }

  wake(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'open';
    this.#flush();
  }

  deafen(): void {
    this.#isDeaf = true;
  }

  listen(): void {
    this.#isDeaf = false;
    const news = this.#news;
    this.#news = [];
    for (const one of news) this.pass(one);
  }

  kill(): void {
    this.#state = 'dead';
    this.#waiting = [];
    this.#news = [];
  }

  #flush(): void {
    this.#isFlushing = true;
    try {
      while (this.#state === 'open' && this.#waiting.length > 0) (this.#waiting.shift() as () => void)();
    } finally {
      this.#isFlushing = false;
    }
  }
}
