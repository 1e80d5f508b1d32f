// Neurons in the order of the blocks they belong to: what the drawing of the network and of its weights share.

/**
 * @typedef {import("../../wasm/types.js").Lumping} Lumping
 * @typedef {{number: number, start: number, members: number[], colour: number|null}} Block   number: from 1, 0 for those in no block; start: where
 *   its first member stands; members: the one that stays first; colour: of blocks with several
 * @typedef {{order: number[], place: number[], blocks: Block[], blockOf: (number|null)[], kept: Set<number>|null}} Arrangement   order: the neuron
 *   at each place; place: of each neuron; kept: null where nothing was to go
 */

export const COLOURS = 7; // told apart by the number, too
const LINES = 8; // px between borders, on average
const THINNEST = 0.5; // px a block, on average

/** Each neuron a block of its own: of layers that stay whole. @param {number} width @returns {Arrangement} */
export function asTrained(width) {
  const order = Array.from({ length: width }, (_, i) => i);
  return { order, place: order, blocks: [], blockOf: order.map(() => null), kept: null };
}

/** Blocks in the order of the neurons that stay; last those that stand in none. @param {Lumping} lumping @returns {Arrangement} */
export function byBlock({ kept, blocks }) {
  /** @type {number[][]} */
  const members = kept.map((unit) => [unit]);
  /** @type {number[]} */
  const none = [];
  blocks.forEach((block, unit) => {
    if (block === null) none.push(unit);
    else if (kept[block] !== unit) members[block].push(unit);
  });
  const order = [...members.flat(), ...none];
  const place = order.map(() => 0);
  order.forEach((unit, at) => (place[unit] = at));
  let start = 0;
  let colour = 0;
  const all = [...members.map((own, i) => ({ number: i + 1, members: own })), ...(none.length > 0 ? [{ number: 0, members: none }] : [])];
  const arranged = all.map((block) => {
    const shared = block.number > 0 && block.members.length > 1;
    const one = { ...block, start, colour: shared ? colour++ % COLOURS : null };
    start += block.members.length;
    return one;
  });
  return { order, place, blocks: arranged, blockOf: blocks, kept: new Set(kept) };
}

/** The same neurons where they were, with their blocks. @param {Arrangement} arrangement @returns {Arrangement} */
export function inPlace(arrangement) {
  const { order, place } = asTrained(arrangement.order.length);
  return { ...arrangement, order, place };
}

/** A neuron's block. @param {Arrangement} arrangement @param {number} unit @returns {Block|null} */
export function blockAt({ blocks, blockOf, kept }, unit) {
  if (kept === null) return null;
  const block = blockOf[unit];
  return block === null ? (blocks.at(-1) ?? null) : blocks[block];
}

/** The blocks that a bar is drawn of; where they are thinner than anybody sees, by thousands, what stays and what does not.
 * @param {Arrangement} arrangement @param {number} unit px a neuron @returns {(Block & {stays: number})[]} stays: neurons */
export function stripsOf({ order, blocks, kept }, unit) {
  if (blocks.length * THINNEST < order.length * unit) return blocks.map((block) => ({ ...block, stays: block.number > 0 ? 1 : 0 }));
  const stay = kept?.size ?? order.length;
  const whole = { number: 1, start: 0, members: order.slice(0, stay), colour: null, stays: stay };
  return [whole, { number: 0, start: stay, members: order.slice(stay), colour: null, stays: 0 }];
}

/** Lines between blocks, those around several neurons alone where all would be too many. @param {Arrangement} arrangement @param {number} cell px */
export function bordersOf({ blocks, order }, cell) {
  const all = blocks.length * LINES < order.length * cell;
  const starts = blocks.filter((block, i) => i > 0 && (all || block.members.length > 1 || blocks[i - 1].members.length > 1)).map((block) => block.start);
  return starts.map((start) => start * cell);
}

/** Blocks of several with room for their number. @param {Arrangement} arrangement @param {number} cell px @param {number} room px */
export function numbersOf({ blocks }, cell, room) {
  let free = 0;
  return blocks.flatMap(({ number: name, start, members }) => {
    const at = (start + members.length / 2) * cell;
    if (name === 0 || members.length < 2 || at - room / 2 < free) return [];
    free = at + room / 2;
    return [{ number: name, at }];
  });
}
