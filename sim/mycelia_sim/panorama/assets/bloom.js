// One plant: upright and open while it is well, closing as it falls behind, bent when it is down.

const HUES = [[168, 186, 152], [322, 292, 338], [42, 28, 54], [258, 240, 272]];

const seedOf = (text) => {
  let hash = 7;
  for (const c of text) hash = Math.imul(hash, 31) + c.codePointAt(0) | 0;
  return Math.abs(hash) % 100003;
};

// What never changes about a stem: kind of blossom, colour, height and to which side it falls.
const genesOf = (plant, stem) => {
  const seed = seedOf(plant.name) + stem * 17;
  const hues = HUES[Math.min(plant.sideIndex, HUES.length - 1)];
  const kinds = ['lotus', 'lily', 'clock', 'lotus'];
  return {
    kind: kinds[Math.floor(chance(seed, 1) * kinds.length)],
    hue: hues[Math.floor(chance(seed, 2) * hues.length)] + Math.round((chance(seed, 3) - 0.5) * 14),
    tall: 0.84 + 0.32 * chance(seed, 4),
    lean: (chance(seed, 5) - 0.5) * 0.36,
    fall: chance(seed, 6) < 0.5 ? -1 : 1,
    phase: chance(seed, 7) * 6.28,
    petals: 7 + Math.floor(chance(seed, 8) * 3),
  };
};

// Alive is coloured, dead is grey; the grey stays light enough to be seen on the dark ground.
const tint = (hue, health, light, alpha = 1) => {
  const saturation = mix(9, 82, health), level = mix(Math.min(light, 50), light, health);
  return `hsla(${mix(275, hue, Math.min(1, health * 3))},${saturation}%,${level}%,${alpha})`;
};

class Bloom {
  // `dim` weakens glows where many stems stand close together.
  constructor(pen, dim) {
    this.pen = pen;
    this.dim = dim;
  }

  // Draws one stem with its foot at (x, y); `size` is the height of an upright plant in pixels.
  draw(x, y, size, health, state, genes, breath) {
    const { pen } = this;
    pen.save();
    pen.translate(x, y);
    pen.lineCap = pen.lineJoin = 'round';
    if (state === SEED) this.seed(size, genes);
    else if (state === RESTING) this.bulb(size, genes);
    else this.stem(size, health, genes, breath);
    pen.restore();
  }

  stem(size, health, genes, breath) {
    const { pen } = this;
    const open = clamp((health - 0.3) / 0.5, 0, 1), ill = 1 - health;
    const alive = clamp(health / 0.7, 0, 1);
    this.pool(size, alive, genes);
    const steps = 10, step = size * genes.tall / steps;
    const droop = genes.fall * Math.pow(ill, 1.25) * 0.94;
    let turn = -Math.PI / 2 + genes.lean + Math.sin(breath + genes.phase) * 0.05 * alive;
    let px = 0, py = 0;
    const points = [{ x: 0, y: 0, turn }];
    for (let n = 0; n < steps; n += 1) {
      const share = n / steps;
      turn += droop * (0.12 + 1.15 * share * share) - genes.lean * 0.13;
      px += Math.cos(turn) * step;
      py = Math.min(py + Math.sin(turn) * step, -size * 0.03);
      points.push({ x: px, y: py, turn });
    }
    pen.strokeStyle = tint(genes.hue - 14, alive * 0.72, 36);
    for (let pass = 0; pass < 2; pass += 1) { // thick at the foot, thin above
      const last = pass ? steps : Math.round(steps * 0.55);
      pen.lineWidth = Math.max(0.9, size * (pass ? 0.022 : 0.036));
      pen.beginPath();
      pen.moveTo(0, 0);
      for (let n = 1; n <= last; n += 1) pen.lineTo(points[n].x, points[n].y);
      pen.stroke();
    }
    this.leaf(points[3], size * 0.34, -genes.fall, ill, tint(genes.hue - 12, alive * 0.72, 31, 0.92));
    this.leaf(points[5], size * 0.27, genes.fall, ill, tint(genes.hue - 8, alive * 0.75, 37, 0.92));
    if (ill > 0.55) this.fallen(size, genes, ill);
    this.head(points[steps], size, health, open, alive, genes);
  }

  leaf(at, length, side, ill, style) {
    const { pen } = this;
    pen.save();
    pen.translate(at.x, at.y);
    pen.rotate(at.turn + side * mix(0.85, 2.3, ill * ill));
    pen.fillStyle = style;
    pen.beginPath();
    pen.moveTo(0, 0);
    pen.quadraticCurveTo(length * 0.45, -side * length * 0.3, length, 0);
    pen.quadraticCurveTo(length * 0.5, side * length * 0.1, 0, 0);
    pen.fill();
    pen.restore();
  }

  // Light that falls on the ground around the foot.
  pool(size, alive, genes) {
    if (alive < 0.05) return;
    const { pen } = this;
    pen.save();
    pen.globalCompositeOperation = 'lighter';
    pen.globalAlpha = 0.7 * alive * alive * this.dim;
    const reach = size * 1.15;
    pen.drawImage(glow(genes.hue), -reach, -reach * 0.32, reach * 2, reach * 0.64);
    pen.restore();
  }

  fallen(size, genes, ill) {
    const { pen } = this;
    pen.fillStyle = tint(genes.hue, 0.12, 46, clamp((ill - 0.55) * 2.4, 0, 0.9));
    for (let n = 0; n < 4; n += 1) {
      const x = (chance(n, Math.round(genes.phase * 100)) - 0.5) * size * 0.75;
      pen.beginPath();
      pen.ellipse(x, size * 0.02 * n, size * 0.055, size * 0.02, 0.3 * n, 0, 7);
      pen.fill();
    }
  }

  head(at, size, health, open, alive, genes) {
    const { pen } = this;
    pen.save();
    pen.translate(at.x, at.y);
    if (alive > 0.04) {
      pen.globalCompositeOperation = 'lighter';
      pen.globalAlpha = (0.16 * alive + 0.72 * alive * open) * this.dim;
      const reach = size * mix(0.32, 0.74, open);
      pen.drawImage(glow(genes.hue), -reach, -reach, reach * 2, reach * 2);
      pen.globalAlpha = 1;
      pen.globalCompositeOperation = 'source-over';
    }
    pen.rotate(at.turn + Math.PI / 2);
    if (genes.kind === 'clock') this.clock(size, health, open, alive, genes);
    else this.petals(size, open, alive, genes);
    pen.restore();
  }

  petals(size, open, alive, genes) {
    const { pen } = this;
    const isLily = genes.kind === 'lily';
    const count = isLily ? 7 : genes.petals;
    const length = size * (isLily ? 0.36 : 0.3) * mix(0.72, 1, open);
    const wide = size * (isLily ? 0.048 : 0.072) * mix(0.62, 1, open);
    const fan = mix(0.16, isLily ? 1.5 : 1.68, open);
    const layers = [[count, 1, 46, 0.62], [count - 2, 0.84, 62, 0.66], [count - 4, 0.62, 78, 0.8]];
    for (const [number, reach, light, alpha] of layers) {
      pen.fillStyle = tint(genes.hue, alive, light, mix(0.95, alpha, alive));
      pen.beginPath();
      for (let n = 0; n < number; n += 1) {
        const turn = number > 1 ? (n / (number - 1) * 2 - 1) * fan * reach : 0;
        this.petal(turn, length * reach * (1 - 0.14 * Math.abs(turn)), wide);
      }
      pen.fill();
    }
    if (open > 0.25) {
      pen.globalCompositeOperation = 'lighter';
      pen.globalAlpha = open * alive;
      pen.drawImage(glow(50), -size * 0.12, -size * 0.17, size * 0.24, size * 0.24);
      pen.globalAlpha = 1;
      pen.globalCompositeOperation = 'source-over';
    }
  }

  // One petal that points to `turn` from straight up; part of the path under way.
  petal(turn, length, wide) {
    const { pen } = this;
    const sin = Math.sin(turn), cos = Math.cos(turn);
    const to = (along, across) => [sin * along + cos * across, -cos * along + sin * across];
    pen.moveTo(0, 0);
    pen.bezierCurveTo(...to(length * 0.3, -wide * 1.5), ...to(length * 0.8, -wide), ...to(length, 0));
    pen.bezierCurveTo(...to(length * 0.8, wide), ...to(length * 0.3, wide * 1.5), 0, 0);
  }

  // A dandelion clock: threads of light with a spark at each end, few and hanging when it is ill.
  clock(size, health, open, alive, genes) {
    const { pen } = this;
    const count = Math.round(mix(7, 26, open)), reach = size * mix(0.2, 0.31, open);
    const fan = mix(0.35, 2.75, open);
    pen.strokeStyle = tint(genes.hue, alive, 68, mix(0.85, 0.6, alive));
    pen.lineWidth = Math.max(0.6, size * 0.009);
    pen.beginPath();
    const tips = [];
    for (let n = 0; n < count; n += 1) {
      const turn = (n / (count - 1) * 2 - 1) * fan;
      const long = reach * (0.82 + 0.18 * Math.sin(n * 2.4 + genes.phase));
      const tip = [Math.sin(turn) * long, -Math.cos(turn) * long];
      pen.moveTo(0, 0);
      pen.lineTo(...tip);
      tips.push(tip);
    }
    pen.stroke();
    pen.fillStyle = tint(genes.hue, alive, 86, 0.95);
    pen.beginPath();
    for (const [x, y] of tips) {
      const dot = Math.max(0.8, size * 0.017 * (0.6 + open));
      pen.moveTo(x + dot, y);
      pen.arc(x, y, dot, 0, 7);
    }
    pen.moveTo(size * 0.04, 0);
    pen.arc(0, 0, size * 0.035, 0, 7);
    pen.fill();
  }

  bulb(size, genes) {
    const { pen } = this, s = size * 0.36;
    this.pool(size * 0.7, 0.55, genes);
    pen.fillStyle = tint(genes.hue, 0.45, 56, 0.95);
    pen.beginPath();
    pen.moveTo(0, 0);
    pen.bezierCurveTo(-s, 0, -s * 0.8, -s * 0.95, 0, -s * 1.5);
    pen.bezierCurveTo(s * 0.8, -s * 0.95, s, 0, 0, 0);
    pen.fill();
    pen.strokeStyle = tint(genes.hue, 0.6, 78, 0.7);
    pen.lineWidth = 1;
    pen.beginPath();
    for (const side of [-1, 0, 1]) {
      pen.moveTo(0, -s * 0.05);
      pen.quadraticCurveTo(side * s * 0.55, -s * 0.6, 0, -s * 1.4);
    }
    pen.stroke();
  }

  seed(size, genes) {
    const { pen } = this, s = size * 0.1;
    pen.fillStyle = tint(genes.hue, 0.3, 66, 0.95);
    pen.beginPath();
    pen.ellipse(0, -s * 0.4, s, s * 0.66, 0.3, 0, 7);
    pen.fill();
    pen.strokeStyle = tint(genes.hue, 0.5, 70, 0.9);
    pen.lineWidth = 1.2;
    pen.beginPath();
    pen.moveTo(0, -s);
    pen.quadraticCurveTo(0, -s * 2.2, s * 0.9, -s * 2.5);
    pen.stroke();
  }
}
