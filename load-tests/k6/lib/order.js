// An order through the whole checkout, to its end.
import http from 'k6/http';
import { Trend } from 'k6/metrics';
import { sleep } from 'k6';
import * as holdfast from './holdfast.js';

const { ORDERS } = holdfast;
const SETTLED_WITHIN_MS = 60000;
const ENDS = ['CONFIRMED', 'PAYMENT_FAILED', 'CANCELLED'];
const settled = new Trend('settled_ms', true);

// Three of four are paid for, one is declined, and each must end so.
export function order(products) {
  const units = 1 + Math.floor(Math.random() * 3);
  const isPaid = Math.random() < 0.75;
  const body = {
    userId: `load-${Math.floor(Math.random() * 100)}`,
    items: [{ productId: holdfast.pick(products), quantity: units, unitPrice: '4.20' }],
    paymentMethod: isPaid ? 'approve' : 'decline',
  };
  const headers = { 'Idempotency-Key': holdfast.newOrder() };
  const asked = Date.now();
  const reply = holdfast.post('/api/v1/orders', body, 'order', [], { base: ORDERS, headers });
  if (reply.unknown) holdfast.told.unknown.add(units);
  if (!reply.yes) return;
  const expected = isPaid ? 'CONFIRMED' : 'PAYMENT_FAILED';
  while (Date.now() - asked < SETTLED_WITHIN_MS) {
    sleep(0.05);
    const now = holdfast.judge(http.get(`${ORDERS}/api/v1/orders/${reply.body.orderId}`, { tags: { name: 'order as it is' } }), []);
    if (!now.yes || !ENDS.includes(now.body.status)) continue;
    settled.add(Date.now() - asked);
    if (now.body.status !== expected) {
      holdfast.broken(`order ${reply.body.orderId} was to be ${expected} and is ${now.body.status}`);
    } else if (isPaid) {
      holdfast.told.reserved.add(units);
      holdfast.told.committed.add(units);
    }
    return;
  }
  holdfast.told.unknown.add(units);
  holdfast.broken(`order ${reply.body.orderId} had no end within a minute`);
}

// How long orders took to their end, for the summary.
export function settledIn(data) {
  const { med = 0, 'p(99)': p99 = 0 } = data.metrics.settled_ms ? data.metrics.settled_ms.values : {};
  return holdfast.figure('note', true, `orders were settled after p50 ${med.toFixed(0)}, p99 ${p99.toFixed(0)} ms, looked at every 50 ms`);
}
