// The model file in the browser: raw pixels and numbers in, answers out.
import * as ort from "./ort/ort.wasm.min.mjs";

ort.env.wasm.numThreads = 1; // more need headers that a plain static host does not send
ort.env.wasm.wasmPaths = new URL("./ort/", import.meta.url).href;

const INPUTS = ["image", "number"];

/** Loads a model file; rejects where it is none of this contract. */
export async function load(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the network cannot be loaded: ${response.status} ${response.statusText}`);
  const session = await ort.InferenceSession.create(new Uint8Array(await response.arrayBuffer()));
  if (String(session.inputNames) !== String(INPUTS)) throw new Error(`${url} is not an adder model`);
  return {
    /** The file's own outputs: pixels, their shape [batch, height, width, channels], and the numbers. */
    run: (data, shape, number) =>
      session.run({
        image: new ort.Tensor("uint8", data, shape),
        number: new ort.Tensor("int32", number, [shape[0]]),
      }),
  };
}

export const version = ort.env.versions.web ?? ort.env.versions.common;
