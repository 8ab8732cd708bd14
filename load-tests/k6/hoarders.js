// Hoarders hold what the cap per customer lets them and never buy; honest buyers want the same product and get all but that.
import exec from 'k6/execution';
import { sleep } from 'k6';
import * as holdfast from './lib/holdfast.js';

const { RATE, SECONDS } = holdfast;
const EXPECTED = ['insufficient_stock', 'customer_limit'];
const CAP = 2;
const HOARD_SECONDS = 2;
const HOARDERS = 10;
const STOCK = Number(__ENV.STOCK || Math.max(1, Math.floor((RATE * SECONDS) / 4)));

export const options = holdfast.options({
  // As many at a time as there are hoarders: each has a name of its own.
  hoarders: { executor: 'constant-vus', exec: 'hoard', vus: HOARDERS, duration: `${SECONDS}s`, gracefulStop: '60s' },
  honest: holdfast.arrivals('buy', Math.max(1, Math.floor(RATE / 2))),
});

export function setup() {
  return { products: holdfast.stock(1, STOCK, { perCustomerLimit: CAP }) };
}

export function hoard({ products }) {
  const customer = { customerId: `hoarder-${exec.vu.idInTest}`, ttlSeconds: HOARD_SECONDS };
  const asked = Date.now();
  const line = (quantity) => [{ productId: products[0], quantity }];
  if (holdfast.reserve(holdfast.newOrder(), line(CAP), EXPECTED, customer).yes) {
    const second = holdfast.reserve(holdfast.newOrder(), line(1), EXPECTED, customer);
    // Within the life of the first, whenever that began.
    if (second.yes && Date.now() - asked < HOARD_SECONDS * 1000) holdfast.broken('a customer held more than the cap');
  }
  sleep(0.1);
}

export function buy({ products }) {
  const order = holdfast.newOrder();
  const items = [{ productId: products[0], quantity: 1 }];
  const reply = holdfast.reserve(order, items, EXPECTED, { customerId: `honest-${order}` });
  if (holdfast.remember(reply, 1)) holdfast.end('commit', order, 1);
}

export function teardown({ products }) {
  const held = holdfast.untilFree(products);
  if (held > 0) holdfast.broken(`${held} units are held whose time is over`);
  holdfast.audit();
}

export const handleSummary = holdfast.summary('hoarders', (data) => {
  const value = (name) => (data.metrics[name] ? data.metrics[name].values.count : 0);
  const sold = value('units_committed');
  const what = `honest buyers got ${sold} of ${STOCK} units; ${HOARDERS} hoarders may keep ${CAP} each from them`;
  return value('refused_insufficient_stock') > 0
    ? [holdfast.figure('rule', sold >= STOCK - HOARDERS * CAP, what)]
    : [holdfast.figure('note', true, `${what}; nothing was scarce`)];
});
