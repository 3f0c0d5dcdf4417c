// Holds ONNX Runtime in Node to PyTorch's answers: node conformance.js [--json] [--model regress] [--vectors FOLDER]
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Adder } from "./adder.js";
import { run } from "../vectors.js";

const artifacts = fileURLToPath(new URL("../../artifacts/", import.meta.url));
const { values: options } = parseArgs({
  options: {
    model: { type: "string", default: "classify" },
    vectors: { type: "string", default: join(artifacts, "conformance") },
    json: { type: "boolean", default: false },
  },
});
const path = options.model.endsWith(".onnx") ? options.model : join(artifacts, `${options.model}.onnx`);
try {
  const index = JSON.parse(readFileSync(join(options.vectors, "index.json"), "utf8"));
  const data = readFileSync(join(options.vectors, index.data));
  const adder = await Adder.load(path);
  const name = basename(path, ".onnx");
  const found = await run(index, data, name, (image, shape, number) => adder.run(image, shape, number));
  const version = createRequire(import.meta.url)("onnxruntime-node/package.json").version;
  const told = { runtime: "ONNX Runtime, Node", version, model: basename(path), ...found };
  if (options.json) console.log(JSON.stringify(told));
  else {
    const worst = `${(100 * found.worst).toFixed(1)}% of what is tolerated`;
    console.log(`${told.runtime} ${version}, ${told.model}: ${found.passed} of ${found.cases} cases pass, ${worst}`);
    if (found.first_failure) console.log(found.first_failure);
  }
  process.exitCode = found.passed === found.cases ? 0 : 1;
} catch (error) {
  console.error(`conformance: ${error.message.split("\n")[0]}`);
  process.exitCode = 1;
}
