/** Eight letters and digits at random, 41 bits: tells apart what runs at the same time, or began at the same moment. */
export function randomName(): string {
  return Math.random().toString(36).slice(2, 10).padEnd(8, '0');
}
