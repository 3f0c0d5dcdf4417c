// An image of MNIST as the strokes of a pen: thinned to its middle lines, which are then followed.
// Thinning: Zhang and Suen 1984, "A fast parallel algorithm for thinning digital patterns".

const SIDE = 28;
// the eight around a pixel, clockwise from above
const AROUND = [[0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1]];

export function thin(pixels) {
  const ink = Array.from(pixels, (value) => value > 110);
  const at = (x, y) => x >= 0 && y >= 0 && x < SIDE && y < SIDE && ink[y * SIDE + x];
  for (let changed = true; changed; ) {
    changed = false;
    for (const round of [0, 1]) {
      const gone = [];
      for (let y = 0; y < SIDE; y++) {
        for (let x = 0; x < SIDE; x++) {
          if (!at(x, y)) continue;
          const near = AROUND.map(([dx, dy]) => at(x + dx, y + dy));
          const count = near.filter(Boolean).length;
          const turns = near.filter((value, place) => !value && near[(place + 1) % 8]).length;
          const [up, , right, , down, , left] = near;
          const open = round ? !(up && right && left) && !(up && down && left) : !(up && right && down) && !(right && down && left);
          if (count >= 2 && count <= 6 && turns === 1 && open) gone.push(y * SIDE + x);
        }
      }
      for (const place of gone) ink[place] = false;
      changed ||= gone.length > 0;
    }
  }
  return ink;
}

/** Lists of [x, y] in pixels of the image. */
export function strokes(pixels) {
  const left = new Set(thin(pixels).flatMap((value, place) => (value ? [place] : [])));
  const near = (place) => {
    const [x, y] = [place % SIDE, Math.floor(place / SIDE)];
    return AROUND.map(([dx, dy]) => (y + dy) * SIDE + x + dx).filter((each) => left.has(each));
  };
  const found = [];
  while (left.size) {
    // an end of a line, or anywhere on a loop
    let place = [...left].sort((a, b) => near(a).length - near(b).length)[0];
    const line = [];
    while (place !== undefined) {
      left.delete(place);
      line.push([(place % SIDE) + 0.5, Math.floor(place / SIDE) + 0.5]);
      // straight neighbours first: a diagonal step may leave one behind
      place = near(place).sort((a, b) => Math.abs(a - place) % (SIDE - 1) - (Math.abs(b - place) % (SIDE - 1)))[0];
    }
    found.push(line);
  }
  return found.filter((line) => line.length > 1 || found.length === 1);
}
