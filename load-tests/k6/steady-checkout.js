// Orders at a rate that the checkout keeps up with: each ends as its payment says.
import * as holdfast from './lib/holdfast.js';
import { order, settledIn } from './lib/order.js';

export const options = holdfast.options({ buyers: holdfast.arrivals('place') });

export function setup() {
  return { products: holdfast.stock(8, holdfast.PLENTY) };
}

export function place({ products }) {
  order(products);
}

// By itself this audits the stock; `holdfast audit --checkout` asks all services.
export function teardown() {
  holdfast.audit();
}

export const handleSummary = holdfast.summary('steady-checkout', (data) => [settledIn(data)]);
