// Lays the page, the model and ONNX Runtime's wasm together as a folder for any static host: node build.js [FOLDER]
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const artifacts = join(here, "../../artifacts");
const out = process.argv[2] ?? join(here, "dist");
const runtime = ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"];

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "ort"), { recursive: true });
cpSync(join(here, "src"), out, { recursive: true });
for (const name of runtime) cpSync(join(here, "node_modules/onnxruntime-web/dist", name), join(out, "ort", name));
cpSync(join(artifacts, "classify.onnx"), join(out, "classify.onnx"));
const certified = JSON.parse(readFileSync(join(artifacts, "classify.certificate.json"), "utf8")).model.sha256;
if (certified !== digest(join(out, "classify.onnx"))) throw new Error("classify.onnx is not the file of its certificate");

function digest(path) {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

const files = readdirSync(out, { recursive: true })
  .map((name) => join(out, name))
  .filter((path) => statSync(path).isFile());
const hashes = Object.fromEntries(files.map((path) => [relative(out, path).replaceAll("\\", "/"), digest(path)]).sort());
const version = createHash("sha256").update(JSON.stringify(hashes)).digest("hex").slice(0, 16);
const worker = join(out, "worker.js");
const kept = ["./", ...Object.keys(hashes).filter((name) => name !== "worker.js")];
writeFileSync(
  worker,
  readFileSync(worker, "utf8").replace("__VERSION__", version).replace("__FILES__", JSON.stringify(kept, null, 2)),
);
hashes["worker.js"] = digest(worker);
writeFileSync(join(out, "hashes.json"), JSON.stringify(hashes, null, 2) + "\n");
const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0);
console.log(`${out}: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB, version ${version}`);
