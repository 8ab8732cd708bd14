// A bit of everything, for long: sales, forgotten holds, repeats and orders.
import * as holdfast from './lib/holdfast.js';
import { order, settledIn } from './lib/order.js';

const { RATE } = holdfast;
const part = (share) => Math.max(1, Math.floor(RATE * share));

export const options = holdfast.options({
  shoppers: holdfast.arrivals('buy', part(0.5)),
  forgetful: holdfast.arrivals('forget', part(0.2)),
  repeaters: holdfast.arrivals('repeat', part(0.2)),
  orders: holdfast.arrivals('place', part(0.1)),
});

export function setup() {
  const products = holdfast.stock(20, holdfast.PLENTY);
  return { shelf: products.slice(0, 16), fleeting: products.slice(16) };
}

export function buy({ shelf }) {
  const quantity = 1 + Math.floor(Math.random() * 3);
  const id = holdfast.newOrder();
  if (!holdfast.remember(holdfast.reserve(id, [{ productId: holdfast.pick(shelf), quantity }], []), quantity)) return;
  holdfast.end(Math.random() < 0.8 ? 'commit' : 'release', id, quantity);
}

// The sweeper's work.
export function forget({ fleeting }) {
  holdfast.reserve(holdfast.newOrder(), [{ productId: holdfast.pick(fleeting), quantity: 1 }], [], { ttlSeconds: 2 });
}

export function repeat({ shelf }) {
  const id = holdfast.newOrder();
  const items = [{ productId: holdfast.pick(shelf), quantity: 1 }];
  const replies = [0, 1].map(() => holdfast.reserve(id, items, []));
  if (replies.every((reply) => reply.status === 201)) holdfast.broken(`order ${id} was told twice that its hold is new`);
  if (replies.some((reply) => reply.yes)) holdfast.told.reserved.add(1);
  else if (replies.some((reply) => reply.unknown)) holdfast.told.unknown.add(1);
}

export function place({ shelf }) {
  order(shelf);
}

export function teardown({ fleeting }) {
  const held = holdfast.untilFree(fleeting);
  if (held > 0) holdfast.broken(`${held} units are held whose time is over`);
  holdfast.audit();
}

export const handleSummary = holdfast.summary('soak', (data) => [settledIn(data)]);
