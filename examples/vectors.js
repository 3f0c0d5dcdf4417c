// Runs the conformance vectors through any function that asks a model file; for Node and for the browser.
// What the files hold is told in artifacts/conformance/README.md.

/**
 * @param index what index.json holds.
 * @param data bytes of vectors.bin, a Uint8Array.
 * @param name of the model: classify, regress.int8 and so on.
 * @param ask image (Uint8Array), shape [batch, height, width, channels] and numbers (Int32Array) to the outputs by
 *   name, each with its values in `data`.
 */
export async function run(index, data, name, ask) {
  const [approach, precision = "fp32"] = name.split(".");
  const limits = index.tolerances[approach][precision];
  const bytes = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const int = (at) => bytes.getInt32(at, true);
  const float = (at) => bytes.getFloat32(at, true);
  const found = { cases: 0, passed: 0, worst: 0, ms: 0, first_failure: null };
  for (const each of index.cases) {
    const [batch, height, width, channels] = each.shape;
    const image = data.slice(each.image, each.image + batch * height * width * channels);
    const number = Int32Array.from({ length: batch }, (_, row) => int(each.number + 4 * row));
    let worst = { share: 0, name: "" };
    try {
      const out = await ask(image, each.shape, number);
      let at = each[approach];
      const compare = (output, size, read, limit) => {
        const got = out[output].data;
        let largest = got.length === batch * size ? 0 : Infinity;
        for (let place = 0; place < batch * size; place++, at += 4) {
          const off = Math.abs(Number(got[place]) - read(at));
          largest = Math.max(largest, Number.isNaN(off) ? Infinity : off);
        }
        const share = limit === undefined ? (largest === 0 ? 0 : Infinity) : largest / limit;
        if (share >= worst.share) worst = { share, name: output };
      };
      for (const { name: output, type, shape } of index.outputs[approach]) {
        const size = shape.reduce((product, side) => product * side, 1);
        const scale = output === "box" ? Math.max(height, width) : 1; // a share of the picture's longer side
        compare(output, size, type === "float32" ? float : int, limits[output] && limits[output] * scale);
      }
      if ("ink" in each) {
        at = each.ink;
        compare("ink", 784, float, limits.ink);
      }
    } catch (error) {
      worst = { share: Infinity, name: String(error.message).split("\n")[0] };
    }
    found.worst = Math.max(found.worst, worst.share);
    if (worst.share <= 1) found.passed++;
    else found.first_failure ??= `case ${found.cases} [${each.shape}]: ${worst.name} is ${worst.share} of what is tolerated`;
    found.cases++;
  }
  found.ms = await median(index, data, ask);
  return found;
}

/** Milliseconds of one picture of 28x28. */
async function median(index, data, ask) {
  const each = index.cases.find(({ shape }) => String(shape) === "1,28,28,1");
  const image = data.slice(each.image, each.image + 784);
  const times = [];
  for (let count = 0; count < 50; count++) {
    const began = performance.now();
    await ask(image, each.shape, Int32Array.of(7));
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[25];
}
