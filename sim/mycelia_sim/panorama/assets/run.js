// The run as data: what was known at which time, and words for it. Knows nothing of pictures.

const data = JSON.parse(document.getElementById('run').textContent);
const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const WILTED = 2, RESTING = 3, SEED = 4;

for (const plant of data.plants) {
  plant.stems = plant.stems.map((text) => Float32Array.from(text, (c) => LETTERS.indexOf(c) / 61));
  plant.gain = Float32Array.from(plant.gain, (c) => Number(c) / 9);
  plant.sideIndex = data.sides.indexOf(plant.side);
}

const run = {
  data,

  // The last sample at or before a time, as a fractional index: 3.5 is half way to sample 4.
  at(ms) {
    const times = data.times;
    let low = 0, high = times.length - 1;
    if (ms <= times[0]) return 0;
    if (ms >= times[high]) return high;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (times[middle] <= ms) low = middle; else high = middle;
    }
    return low + (ms - times[low]) / (times[high] - times[low] || 1);
  },

  // A value between two samples. Death is sudden: towards and from 0 nothing is smoothed.
  between(values, place) {
    const low = Math.floor(place), share = place - low;
    const one = values[low], other = values[Math.min(low + 1, values.length - 1)];
    if (one === 0 || other === 0) return one;
    return one + (other - one) * share;
  },

  stateOf(plant, place) {
    const sample = Math.floor(place);
    if (plant.state) return Number(plant.state[sample]);
    const tally = run.tallyOf(plant, sample);
    return tally.indexOf(Math.max(...tally));
  },

  tallyOf(plant, sample) {
    let found = plant.tally[0];
    for (const change of plant.tally) if (change[0] <= sample) found = change; else break;
    return found.slice(1);
  },

  isCut(link, ms) {
    for (let n = 2; n < link.length; n += 1) if (ms >= link[n][0] && ms < link[n][1]) return true;
    return false;
  },

  activeFaults: (ms) => data.faults.filter((fault) => ms >= fault[0] && ms < fault[1]),

  isParted: (ms) => data.faults.some((fault) => fault[3] && ms >= fault[0] && ms < fault[1]),

  // Events in (from, until], by time.
  events(from, until) {
    const found = [];
    for (const event of data.events) {
      if (event[0] > until) break;
      if (event[0] > from) found.push(event);
    }
    return found;
  },

  clock(ms) {
    const seconds = Math.max(0, Math.round(ms / 1000));
    const two = (value) => String(value).padStart(2, '0');
    if (data.duration >= 3600000) {
      return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)} h`;
    }
    return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  },

  number: (value) => Math.round(value).toLocaleString('en'),

  // A plant's state in words, for its row in the table and the note at the pointer.
  words(plant, place) {
    const sample = Math.floor(place);
    if (plant.tally) {
      const tally = run.tallyOf(plant, sample);
      return data.states.map((state, n) => [tally[n], state]).filter(([count]) => count)
        .map((pair) => pair.join(' ')).join(', ');
    }
    const state = Number(plant.state[sample]);
    const have = plant.have[sample], peers = plant.peers[sample];
    if (have === null) {
      return { [RESTING]: 'resting: left on purpose', [SEED]: 'seed: not yet met' }[state]
        || 'wilted: no power';
    }
    const behind = data.union[sample] - have;
    const links = peers === null ? '' : `, ${peers} link${peers === 1 ? '' : 's'}`;
    return `${data.states[state]}${links}, ${behind ? `${run.number(behind)} behind` : 'has all'}`;
  },
};

// A number from 0 to 1 that is always the same for the same whole numbers.
const chance = (seed, n) => {
  let h = Math.imul(seed + 1, 374761393) + Math.imul(n + 7, 668265263) | 0;
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
};
const mix = (one, other, share) => one + (other - one) * share;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
