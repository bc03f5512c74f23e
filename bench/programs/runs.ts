import type { Delivery, Duty } from 'rxflume';

const MOST = 1_000;

/** Acks deliveries in runs of places, as sinks do that hold many: of one duty, one after the other, a thousand at most. */
export class Runs {
  #duty: Duty | undefined;
  #first = 0;
  #next = 0;

  add({ duty, place }: Delivery<unknown>): void {
    if (duty !== this.#duty || place !== this.#next) {
      this.ack();
      this.#duty = duty;
      this.#first = place;
    }
    this.#next = place + 1;
    if (this.#next - this.#first >= MOST) this.ack();
  }

  /** Acks what was added since the last time. */
  ack(): void {
    const duty = this.#duty;
    this.#duty = undefined;
    duty?.ack(this.#first, this.#next);
  }
}
