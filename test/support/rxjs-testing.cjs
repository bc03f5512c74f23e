/** The same instance as `rxjs` of the test: the scheduler of a second one would not be asked. */
module.exports = require('rxjs').testing;
