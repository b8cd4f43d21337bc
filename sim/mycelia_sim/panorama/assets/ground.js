// The city at night without its plants: sky, skyline, ground and river, painted once per size.

const layer = (width, height) => {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width));
  canvas.height = Math.max(1, Math.round(height));
  return canvas;
};

// Light that fades from a point: the sprite from which every glow is made.
const glows = new Map();
const glow = (hue, saturation = 90) => {
  const key = `${hue}/${saturation}`;
  if (!glows.has(key)) {
    const canvas = layer(128, 128), pen = canvas.getContext('2d');
    const light = pen.createRadialGradient(64, 64, 0, 64, 64, 64);
    light.addColorStop(0, `hsla(${hue},${saturation}%,78%,.95)`);
    light.addColorStop(0.18, `hsla(${hue},${saturation}%,64%,.5)`);
    light.addColorStop(0.5, `hsla(${hue},${saturation}%,52%,.13)`);
    light.addColorStop(1, `hsla(${hue},${saturation}%,45%,0)`);
    pen.fillStyle = light;
    pen.fillRect(0, 0, 128, 128);
    glows.set(key, canvas);
  }
  return glows.get(key);
};

class Ground {
  // `sky` is the height that the words in the sky take up.
  constructor(width, height, ratio, sky) {
    this.width = width;
    this.height = height;
    this.ratio = ratio;
    this.isNarrow = width < 620;
    this.horizon = clamp(sky + height * 0.1, height * 0.36, height * 0.52);
    this.foot = height - (this.isNarrow ? 122 : 78);
    this.back = this.paint((pen) => this.paintBack(pen));
    this.aurora = this.paintAurora();
    this.windows = data.sides.map((_, side) => this.strip((pen) => this.paintWindows(pen, side)));
    this.banks = this.bankPaths();
  }

  // Where a place of the map is on the canvas, and how large things are there.
  project(u, v) {
    const reach = this.isNarrow ? 0.86 + 0.1 * v : 0.76 + 0.2 * v;
    const far = this.horizon + this.height * 0.055;
    const y = v < 0 ? far + v * (far - this.horizon) / 0.2 : mix(far, this.foot, Math.pow(v, 1.1));
    return {
      x: this.width / 2 + (u - 0.5) * this.width * reach,
      y,
      scale: 0.56 + 0.44 * v,
    };
  }

  paint(work) {
    const canvas = layer(this.width * this.ratio, this.height * this.ratio);
    const pen = canvas.getContext('2d');
    pen.scale(this.ratio, this.ratio);
    work(pen);
    return canvas;
  }

  // A layer of the skyline alone: pictures are drawn sixty times a second, empty ones too.
  strip(work) {
    const top = Math.floor(this.horizon - this.height * 0.16), tall = Math.ceil(this.height * 0.18);
    const canvas = layer(this.width * this.ratio, tall * this.ratio);
    const pen = canvas.getContext('2d');
    pen.scale(this.ratio, this.ratio);
    pen.translate(0, -top);
    work(pen);
    return { canvas, top, tall };
  }

  paintBack(pen) {
    const { width, height, horizon } = this;
    const sky = pen.createLinearGradient(0, 0, 0, horizon + 20);
    sky.addColorStop(0, '#04060f');
    sky.addColorStop(0.45, '#0a1029');
    sky.addColorStop(0.85, '#182452');
    sky.addColorStop(1, '#2a3a6d');
    pen.fillStyle = sky;
    pen.fillRect(0, 0, width, horizon + 20);
    const stars = Math.round(width * horizon / 2600);
    for (let n = 0; n < stars; n += 1) {
      const y = Math.pow(chance(1, n), 1.3) * horizon;
      const size = chance(3, n) > 0.93 ? 1.5 : 0.85;
      pen.fillStyle = `rgba(225,232,255,${(0.2 + 0.6 * chance(4, n)) * (1 - y / horizon * 0.7)})`;
      pen.beginPath();
      pen.arc(chance(2, n) * width, y, size, 0, 7);
      pen.fill();
    }
    this.paintSkyline(pen);
    this.paintSoil(pen);
    const edge = pen.createRadialGradient(
      width / 2, height * 0.55, height * 0.3, width / 2, height * 0.55, Math.max(width, height) * 0.72,
    );
    edge.addColorStop(0, 'rgba(2,3,10,0)');
    edge.addColorStop(1, 'rgba(2,3,10,.62)');
    pen.fillStyle = edge;
    pen.fillRect(0, 0, width, height);
  }

  // Towers of each side; the middle of a side has the high ones. Windows fall on the same grid.
  towers() {
    const found = [];
    const sides = data.sides.length;
    for (let side = 0; side < sides; side += 1) {
      const middle = this.width * (sides === 1 ? 0.5 : mix(0.24, 0.76, side / (sides - 1)));
      const reach = this.width * (sides === 1 ? 0.4 : 0.46 / sides);
      const count = Math.round(clamp(reach / 9, 12, 34));
      for (let n = 0; n < count; n += 1) {
        const off = (n + 0.5) / count * 2 - 1;
        const high = Math.exp(-off * off * 4.5);
        const tall = this.height * (0.012 + (0.022 + 0.088 * chance(side + 20, n)) * high);
        const wide = clamp(reach / count * (1.1 + 1.1 * chance(side + 30, n)), 7, 26);
        found.push({ side, x: middle + off * reach - wide / 2, wide, tall, n });
      }
    }
    return found;
  }

  paintSkyline(pen) {
    const base = this.horizon + 6;
    const haze = pen.createLinearGradient(0, base - this.height * 0.2, 0, base);
    haze.addColorStop(0, 'rgba(90,110,190,0)');
    haze.addColorStop(1, 'rgba(120,130,210,.28)');
    pen.fillStyle = haze;
    pen.fillRect(0, base - this.height * 0.2, this.width, this.height * 0.2);
    for (const tower of this.towers()) {
      pen.fillStyle = tower.n % 3 ? '#0c1330' : '#101838';
      pen.fillRect(tower.x, base - tower.tall, tower.wide, tower.tall);
      if (tower.n % 4 === 1) {
        pen.beginPath();
        pen.moveTo(tower.x, base - tower.tall + 0.5);
        pen.lineTo(tower.x + tower.wide / 2, base - tower.tall - tower.wide * 0.9);
        pen.lineTo(tower.x + tower.wide, base - tower.tall + 0.5);
        pen.fill();
      } else if (tower.n % 5 === 2) {
        pen.fillRect(tower.x + tower.wide / 2 - 0.6, base - tower.tall - 13, 1.2, 14);
      }
    }
  }

  paintWindows(pen, side) {
    const base = this.horizon + 6;
    for (const tower of this.towers()) {
      if (tower.side !== side) continue;
      for (let x = tower.x + 2; x < tower.x + tower.wide - 2; x += 3.4) {
        for (let y = base - tower.tall + 3; y < base - 4; y += 4.2) {
          const luck = chance(Math.round(x * 7), Math.round(y * 3));
          if (luck > 0.62) continue;
          pen.fillStyle = luck < 0.07 ? 'rgba(160,240,225,.95)' : `rgba(255,214,140,${0.35 + luck})`;
          pen.fillRect(x, y, 1.5, 1.9);
        }
      }
    }
  }

  paintSoil(pen) {
    const { width, height, horizon } = this;
    const soil = pen.createLinearGradient(0, horizon, 0, height);
    soil.addColorStop(0, '#1d2b58');
    soil.addColorStop(0.09, '#131f42');
    soil.addColorStop(0.5, '#0b152c');
    soil.addColorStop(1, '#060b18');
    pen.fillStyle = soil;
    pen.beginPath();
    pen.moveTo(0, horizon + 7);
    pen.quadraticCurveTo(width / 2, horizon - 2, width, horizon + 7);
    pen.lineTo(width, height);
    pen.lineTo(0, height);
    pen.fill();
    // Hyphae: fine threads that wander over the ground and fork.
    pen.lineCap = 'round';
    const count = Math.round(width / 4.5);
    for (let n = 0; n < count; n += 1) {
      const depth = Math.pow(chance(41, n), 0.8);
      let x = chance(40, n) * width, y = mix(horizon + 14, height, depth);
      let turn = chance(42, n) * 6.28;
      pen.strokeStyle = `hsla(${165 + 70 * chance(43, n)},70%,72%,${0.05 + 0.075 * depth})`;
      pen.lineWidth = 0.5 + depth * 0.7;
      pen.beginPath();
      pen.moveTo(x, y);
      for (let step = 0; step < 16; step += 1) {
        turn += (chance(n + 100, step) - 0.5) * 1.5;
        x += Math.cos(turn) * (6 + 12 * depth);
        y += Math.sin(turn) * (2 + 5 * depth);
        if (y < horizon + 10) break;
        pen.lineTo(x, y);
      }
      pen.stroke();
    }
    for (let n = 0; n < width / 3; n += 1) { // grass along the foot of the picture
      const x = chance(60, n) * width, tall = 5 + 22 * chance(61, n);
      pen.strokeStyle = `hsla(${175 + 30 * chance(62, n)},45%,${14 + 12 * chance(63, n)}%,.75)`;
      pen.lineWidth = 1.1;
      pen.beginPath();
      pen.moveTo(x, height + 2);
      pen.quadraticCurveTo(x + 2, height - tall * 0.6, x + (chance(64, n) - 0.5) * 14, height - tall);
      pen.stroke();
    }
  }

  // Light in the sky, drawn as strongly as the nodes agree.
  paintAurora() {
    const wide = 360, high = 140, canvas = layer(wide, high), pen = canvas.getContext('2d');
    pen.globalCompositeOperation = 'lighter';
    const bands = [[164, 288, 0.84, 66], [178, 300, 0.7, 58], [152, 262, 0.93, 44]];
    bands.forEach(([hue, top, place, reach], band) => {
      for (let x = 0; x < wide; x += 1) {
        const far = x + Math.sin(x * 0.03 + band * 2) * 12; // curtains fold
        const foot = high * place + Math.sin(far * 0.02 + band * 1.9) * 15 + Math.sin(far * 0.061 + band) * 5;
        const cloud = 0.5 + 0.5 * Math.sin(far * 0.027 + band * 2.3) * Math.sin(far * 0.0113 + band);
        const ray = 0.62 + 0.2 * Math.sin(far * 0.41 + band) + 0.18 * Math.sin(far * 0.93 + band * 3);
        const strength = cloud * ray;
        const tall = reach * (0.55 + 0.85 * strength);
        const light = pen.createLinearGradient(0, foot - tall, 0, foot + 5);
        light.addColorStop(0, `hsla(${top},80%,60%,0)`);
        light.addColorStop(0.4, `hsla(${mix(top, hue, 0.3)},80%,60%,${0.13 * strength})`);
        light.addColorStop(0.86, `hsla(${hue},88%,62%,${0.5 * strength})`);
        light.addColorStop(1, `hsla(${hue},88%,62%,0)`);
        pen.fillStyle = light;
        pen.fillRect(x, foot - tall, 1, tall + 5);
      }
    });
    return canvas;
  }

  bankPaths() {
    if (!data.river) return null;
    const steps = data.river.length - 1, west = [], east = [], ripples = [];
    for (let n = 0; n <= 120; n += 1) {
      const v = mix(-0.2, 1.35, n / 120);
      const place = clamp(v, 0, 0.9999) * steps, low = Math.floor(place);
      const at = (k) => data.river[clamp(k, 0, steps)];
      const s = place - low, smooth = s * s * (3 - 2 * s);
      const u = mix(at(low), at(low + 1), smooth * 0.5 + s * 0.5);
      const half = 0.003 + 0.021 * Math.pow(clamp((v + 0.2) / 1.5, 0, 1), 0.9);
      west.push(this.project(u - half, v));
      east.push(this.project(u + half, v));
      for (let k = 0; k < 2; k += 1) {
        const off = (chance(n, 70 + k) - 0.5) * 1.5 * half, reach = half * (0.15 + 0.4 * chance(n, 74 + k));
        ripples.push([this.project(u + off - reach, v + 0.004 * k), this.project(u + off + reach, v + 0.004 * k)]);
      }
    }
    const water = new Path2D(), shores = new Path2D();
    [...west, ...[...east].reverse()].forEach((p, n) => (n ? water.lineTo(p.x, p.y) : water.moveTo(p.x, p.y)));
    for (const shore of [west, east]) {
      shore.forEach((p, n) => (n ? shores.lineTo(p.x, p.y) : shores.moveTo(p.x, p.y)));
    }
    const places = [...west, ...east].map((p) => p.x);
    const left = Math.floor(Math.min(...places)) - 2, wide = Math.ceil(Math.max(...places)) + 4 - left;
    const light = layer(wide * this.ratio, this.height * this.ratio), pen = light.getContext('2d');
    pen.scale(this.ratio, this.ratio);
    pen.translate(-left, 0);
    this.paintWater(pen, water, ripples);
    return { water, shores, light, left, wide };
  }

  paintWater(pen, water, ripples) {
    const shine = pen.createLinearGradient(0, this.horizon, 0, this.height);
    shine.addColorStop(0, 'rgba(150,190,255,.75)');
    shine.addColorStop(0.25, 'rgba(70,150,220,.5)');
    shine.addColorStop(1, 'rgba(38,110,190,.42)');
    pen.fillStyle = shine;
    pen.fill(water);
    pen.lineCap = 'round';
    ripples.forEach(([from, to], n) => {
      pen.strokeStyle = `rgba(190,240,255,${0.1 + 0.3 * chance(n, 80)})`;
      pen.lineWidth = 0.6 + 0.8 * from.scale * chance(n, 81);
      pen.beginPath();
      pen.moveTo(from.x, from.y);
      pen.lineTo(to.x, to.y);
      pen.stroke();
    });
  }

  draw(pen, look) {
    pen.drawImage(this.back, 0, 0, this.width, this.height);
    pen.save();
    pen.globalCompositeOperation = 'lighter';
    pen.globalAlpha = 0.06 + 0.94 * Math.pow(look.agreement, 1.4);
    const drift = Math.sin(look.breath * 0.23) * this.width * 0.02;
    const tall = this.horizon * 0.98;
    pen.drawImage(this.aurora, drift - this.width * 0.04, this.horizon - tall, this.width * 1.08, tall);
    pen.restore();
    this.windows.forEach(({ canvas, top, tall }, side) => {
      pen.globalAlpha = 0.12 + 0.88 * look.lit[side];
      pen.drawImage(canvas, 0, top, this.width, tall);
    });
    pen.globalAlpha = 1;
    if (this.banks) this.drawRiver(pen, look);
  }

  drawRiver(pen, look) {
    const { water, shores, light, left, wide } = this.banks;
    pen.fillStyle = '#071027';
    pen.fill(water);
    pen.globalAlpha = look.parted ? 0.16 : 0.62 + 0.38 * look.agreement;
    pen.drawImage(light, left, 0, wide, this.height);
    pen.globalAlpha = 1;
    pen.strokeStyle = look.parted ? 'rgba(255,128,100,.85)' : 'rgba(150,225,240,.35)';
    pen.lineWidth = look.parted ? 2 : 1;
    pen.setLineDash(look.parted ? [2, 6] : []);
    pen.stroke(shores);
    pen.setLineDash([]);
  }
}
