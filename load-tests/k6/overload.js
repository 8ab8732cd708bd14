// More arrivals than the service can do: who is refused is told when to come back, who is accepted did not wait for ever.
//
// By itself, give a RATE of five times what your service does. The load program measures that first, and puts most of the pressure on
// by streams of its own, since k6 on the same machine could not.
import * as holdfast from './lib/holdfast.js';

const { RATE } = holdfast;
// The service lets nobody wait longer than five seconds for an answer; one more for the way.
const ACCEPTED_P99_MS_MAX = 6000;

export const options = holdfast.options(
  // Everybody waits for seconds: those who will must be there from the start.
  { shoppers: holdfast.arrivals('hold', RATE, { preAllocatedVUs: Math.min(1000, RATE * 6) }) },
  {
    accepted_ms: [`p(99)<=${ACCEPTED_P99_MS_MAX}`],
    // To be refused is the point here.
    shed_rate: ['rate<=1'],
  },
);

export function setup() {
  return { products: holdfast.stock(8, holdfast.PLENTY) };
}

export function hold({ products }) {
  const items = [{ productId: holdfast.pick(products), quantity: 1 }];
  holdfast.remember(holdfast.reserve(holdfast.newOrder(), items, []), 1);
}

export function teardown() {
  holdfast.audit();
}

export const handleSummary = holdfast.summary('overload');
