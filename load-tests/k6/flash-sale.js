// One hot product, three buyers for each unit: nobody is told yes who gets nothing.
import * as holdfast from './lib/holdfast.js';

const { RATE, SECONDS } = holdfast;
const EXPECTED = ['insufficient_stock'];

export const options = holdfast.options({ sale: holdfast.arrivals('buy') });

export function setup() {
  return { products: holdfast.stock(1, Math.max(1, Math.floor((RATE * SECONDS) / 3))) };
}

export function buy({ products }) {
  const order = holdfast.newOrder();
  const items = [{ productId: products[0], quantity: 1 }];
  if (!holdfast.remember(holdfast.reserve(order, items, EXPECTED), 1)) return;
  // Most who hold it buy it, some give it back, some leave it held.
  const fate = Math.random();
  if (fate < 0.8) holdfast.end('commit', order, 1);
  else if (fate < 0.9) holdfast.end('release', order, 1);
}

export function teardown() {
  holdfast.audit();
}

export const handleSummary = holdfast.summary('flash-sale');
