const { readFileSync } = require('node:fs');
const Sequencer = require('@jest/test-sequencer').default;

/** Tests that measure the heap come first, while it is small: each measurement collects all garbage. */
module.exports = class extends Sequencer {
  sort(tests) {
    const measures = ({ path }) => readFileSync(path, 'utf8').includes('support/heap.js');
    const sorted = super.sort(tests);
    return [...sorted.filter(measures), ...sorted.filter((test) => !measures(test))];
  }
};
