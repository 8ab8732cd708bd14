// Carts that name the same products in orders of their own: no deadlock, no server error, all lines or none.
import * as holdfast from './lib/holdfast.js';

const { RATE, SECONDS } = holdfast;
const EXPECTED = ['insufficient_stock'];

export const options = holdfast.options({ carts: holdfast.arrivals('fill') });

export function setup() {
  return { products: holdfast.stock(8, Math.max(1, Math.floor((RATE * SECONDS) / 4))) };
}

function cartOf(products) {
  const left = products.slice();
  const lines = 2 + Math.floor(Math.random() * 3);
  const cart = [];
  while (cart.length < lines) {
    const [productId] = left.splice(Math.floor(Math.random() * left.length), 1);
    cart.push({ productId, quantity: 1 });
  }
  return cart;
}

export function fill({ products }) {
  const order = holdfast.newOrder();
  const cart = cartOf(products);
  if (!holdfast.remember(holdfast.reserve(order, cart, EXPECTED), cart.length)) return;
  const fate = Math.random();
  if (fate < 1 / 3) holdfast.end('commit', order, cart.length);
  else if (fate < 2 / 3) holdfast.end('release', order, cart.length);
}

export function teardown() {
  holdfast.audit();
}

export const handleSummary = holdfast.summary('crossing-carts');
