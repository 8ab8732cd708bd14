// Every order is sent several times, some after hanging up, three times at once, and every ending twice: each takes effect once.
import http from 'k6/http';
import * as holdfast from './lib/holdfast.js';

const EXPECTED = ['already_released'];

export const options = holdfast.options({ storm: holdfast.arrivals('repeat') });

export function setup() {
  return { products: holdfast.stock(32, holdfast.PLENTY) };
}

export function repeat({ products }) {
  const order = holdfast.newOrder();
  const body = { orderId: order, items: [{ productId: holdfast.pick(products), quantity: 1 }] };
  const path = '/api/v1/inventory/reserve';
  const hangsUp = Math.random() < 0.3;
  if (hangsUp) {
    // Whatever came of it, the buyer does not look.
    const { url, body: text, params } = holdfast.request(path, body, 'reserve, hung up', { timeout: '1ms' });
    http.post(url, text, params);
  }
  const same = [0, 1, 2].map(() => holdfast.request(path, body, 'reserve'));
  const replies = http.batch(same).map((response) => holdfast.judge(response, EXPECTED));
  replies.push(holdfast.post(path, body, 'reserve', EXPECTED));
  if (replies.filter((reply) => reply.status === 201).length > 1) {
    holdfast.broken(`order ${order} was told twice that its hold is new`);
  }
  if (replies.some((reply) => reply.yes)) {
    holdfast.told.reserved.add(1);
  } else {
    if (hangsUp || replies.some((reply) => reply.unknown)) holdfast.told.unknown.add(1);
    return;
  }
  const fate = Math.random();
  if (fate < 1 / 3) {
    holdfast.end('release', order, 1);
    const late = holdfast.post('/api/v1/inventory/commit', { orderId: order }, 'commit', EXPECTED);
    if (late.yes) holdfast.broken(`order ${order} was released and then committed`);
  } else if (fate < 2 / 3) {
    holdfast.end('commit', order, 1);
    // The repeat takes no second unit: the books would show it.
    holdfast.post('/api/v1/inventory/commit', { orderId: order }, 'commit', EXPECTED);
  }
}

export function teardown() {
  holdfast.audit();
}

export const handleSummary = holdfast.summary('retry-storm');
