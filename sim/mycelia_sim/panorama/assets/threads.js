// Links between plants: threads over the ground, arcs of light over the river, motes that travel.

const STEPS = 26;

class Threads {
  constructor(ground, places) {
    this.ground = ground;
    this.links = data.links.map((link, n) => this.lay(link, n, places));
  }

  lay(link, n, places) {
    const one = places[link[0]], other = places[link[1]];
    const isBridge = data.plants[link[0]].side !== data.plants[link[1]].side;
    const far = Math.hypot(other.x - one.x, other.y - one.y);
    const lift = isBridge ? Math.min(far * 0.34, this.ground.height * 0.2) : -far * 0.07;
    const bend = (chance(n, 91) - 0.5) * far * 0.16;
    const middle = {
      x: (one.x + other.x) / 2 + bend * 0.4,
      y: (one.y + other.y) / 2 - lift + bend * 0.3,
    };
    // A root feels its way over the ground; an arc of light does not.
    const wander = isBridge ? 0 : Math.min(16, far * 0.045), points = [], path = new Path2D();
    for (let step = 0; step <= STEPS; step += 1) {
      const t = step / STEPS, s = 1 - t, calm = Math.sin(Math.PI * t);
      const off = calm * wander * (Math.sin(t * 9 + n) + 0.6 * Math.sin(t * 21 + n * 2.7));
      const x = s * s * one.x + 2 * s * t * middle.x + t * t * other.x + off * 0.5;
      const y = s * s * one.y + 2 * s * t * middle.y + t * t * other.y + off * 0.6;
      points.push({ x, y });
      if (step) path.lineTo(x, y); else path.moveTo(x, y);
    }
    return { link, points, path, isBridge, phase: chance(n, 92), pace: 0.8 + 0.5 * chance(n, 93) };
  }

  along(points, t) {
    const place = t * STEPS, low = Math.min(STEPS - 1, Math.floor(place));
    const one = points[low], other = points[low + 1];
    return { x: mix(one.x, other.x, place - low), y: mix(one.y, other.y, place - low) };
  }

  // `walk` is the distance that motes have gone, in lengths of a thread.
  draw(pen, look, walk) {
    const lively = [[], [], [], []], dead = [], motes = [];
    this.links.forEach((thread) => {
      const [a, b] = thread.link;
      const up = Math.min(look.health[a], look.health[b]);
      if (up <= 0.005 || run.isCut(thread.link, look.ms)) {
        dead.push(thread);
        return;
      }
      const toA = look.gain[a], toB = look.gain[b], flow = Math.max(toA, toB);
      lively[Math.min(3, Math.floor(flow * 3.99))].push(thread);
      if (flow > 0.02) motes.push([thread, toB >= toA ? 1 : -1, flow, toB >= toA ? a : b]);
    });
    const crowd = clamp(110 / this.links.length, 0.4, 1) * (data.plants.length < data.count ? 0.55 : 1);
    pen.save();
    pen.globalCompositeOperation = 'lighter';
    pen.lineCap = 'round';
    lively.forEach((threads, level) => {
      if (!threads.length) return;
      pen.strokeStyle = `hsla(${176 - level * 3},75%,${60 + level * 4}%,${(0.15 + level * 0.055) * crowd})`;
      pen.lineWidth = 1.1 + level * 0.16;
      for (const { path } of threads) pen.stroke(path);
    });
    pen.restore();
    this.drawDead(pen, dead, crowd);
    this.drawMotes(pen, motes, walk, crowd);
  }

  // A dead link: a dashed stub at each end and nothing between.
  drawDead(pen, dead, crowd) {
    if (!dead.length) return;
    pen.save();
    pen.setLineDash([1.5, 5]);
    pen.lineCap = 'round';
    pen.lineWidth = 1.4;
    pen.strokeStyle = `rgba(255,140,112,${0.62 * crowd})`;
    pen.beginPath();
    for (const { points } of dead) {
      const stub = Math.round(STEPS * 0.33);
      pen.moveTo(points[0].x, points[0].y);
      for (let n = 1; n <= stub; n += 1) pen.lineTo(points[n].x, points[n].y);
      pen.moveTo(points[STEPS].x, points[STEPS].y);
      for (let n = STEPS - 1; n >= STEPS - stub; n -= 1) pen.lineTo(points[n].x, points[n].y);
    }
    pen.stroke();
    pen.restore();
  }

  drawMotes(pen, motes, walk, crowd) {
    pen.save();
    pen.globalCompositeOperation = 'lighter';
    for (const [thread, way, flow, from] of motes) {
      const count = Math.max(1, Math.round(flow * 3.4 * crowd));
      const hue = HUES[Math.min(data.plants[from].sideIndex, HUES.length - 1)][0];
      for (let n = 0; n < count; n += 1) {
        const gone = (walk * thread.pace + thread.phase + n / count) % 1;
        const at = this.along(thread.points, way > 0 ? gone : 1 - gone);
        const size = (5 + 5 * flow) * (this.ground.isNarrow ? 0.75 : 1);
        pen.globalAlpha = Math.sin(Math.PI * gone) * 0.95;
        pen.drawImage(glow(hue), at.x - size, at.y - size, size * 2, size * 2);
      }
    }
    pen.restore();
  }
}
